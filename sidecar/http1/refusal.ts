import { type Evidence, Failure } from '../failure.ts';
import type { Http1Limits } from './limits.ts';

/** The limits of a head, with the configuration key of each. */
const keys = {
  maxTargetBytes: 'http.maxTargetBytes',
  maxLineBytes: 'http.maxFieldBytes',
  maxHeadBytes: 'http.maxHeadBytes',
  maxFields: 'http.maxFields',
} as const;
type HeadLimit = keyof typeof keys;

/** Why a message is not taken: a sentence that names the element, and the status for a request. */
export interface Refusal {
  readonly detail: string;
  readonly status: number;
  /** The limit that it is over; null: malformed. */
  readonly limit: HeadLimit | null;
}

/** Malformed or ambiguous; `status` where the table of `reliability.md` §2 knows better than 400. */
export function refusal(detail: string, status = 400): Refusal {
  return { detail, status, limit: null };
}

/** Over a limit: 431, or 414 for the target. */
export function tooLarge(detail: string, limit: HeadLimit, status = 431): Refusal {
  return { detail, status, limit };
}

/** The refusal of a request, as the failure its sender is told. */
export function requestFailure(refused: Refusal, limits: Http1Limits): Failure {
  const code = refused.limit === null ? 'downstream_protocol_error' : 'headers_too_large';
  return new Failure(code, refused.detail, evidenceOf(refused, limits), refused.status);
}

/** The refusal of a response; its sender is told nothing, our caller gets 502. */
export function responseFailure(refused: Refusal, limits: Http1Limits): Failure {
  const code = refused.limit === null ? 'upstream_protocol_error' : 'upstream_headers_too_large';
  return new Failure(code, refused.detail, evidenceOf(refused, limits));
}

function evidenceOf({ limit }: Refusal, limits: Http1Limits): Evidence | undefined {
  return limit === null ? undefined : { limit, value: limits[limit], key: keys[limit] };
}
