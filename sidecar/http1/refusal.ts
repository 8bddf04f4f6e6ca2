import { Failure } from '../failure.ts';

/** Why a message is not taken: a sentence that names the element, and the status for a request. */
export interface Refusal {
  readonly detail: string;
  readonly status: number;
  readonly tooLarge: boolean;
}

/** Malformed or ambiguous; `status` where the table of `reliability.md` §2 knows better than 400. */
export function refusal(detail: string, status = 400): Refusal {
  return { detail, status, tooLarge: false };
}

/** Over a limit: 431, or 414 for the target. */
export function tooLarge(detail: string, status = 431): Refusal {
  return { detail, status, tooLarge: true };
}

/** The refusal of a request, as the failure its sender is told. */
export function requestFailure(refused: Refusal): Failure {
  const code = refused.tooLarge ? 'headers_too_large' : 'downstream_protocol_error';
  return new Failure(code, refused.detail, undefined, refused.status);
}

/** The refusal of a response; its sender is told nothing, our caller gets 502. */
export function responseFailure(refused: Refusal): Failure {
  const code = refused.tooLarge ? 'upstream_headers_too_large' : 'upstream_protocol_error';
  return new Failure(code, refused.detail);
}
