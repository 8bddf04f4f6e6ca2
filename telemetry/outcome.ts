import type { AttemptRecord, RequestRecord } from './record.ts';

/** Code of a caller that left before its answer was complete: never an error of ours or of the callee. */
const CALLER_LEFT = 'downstream_closed';

/**
 * `error.type` of a SERVER span or metric, null when it is none: the code of a failure Outrigger saw
 * with a 5xx, no or a broken answer, else the 5xx status of the application (`telemetry.md` §1.5).
 */
export function serverError(status: number, code: string | null): string | null {
  if (code === CALLER_LEFT) return null;
  if (code !== null) return status >= 400 && status < 500 ? null : code;
  return status >= 500 ? String(status) : null;
}

/** `error.type` of a CLIENT span or metric: as for SERVER, and every 4xx. */
export function clientError(status: number, code: string | null): string | null {
  if (code === CALLER_LEFT) return null;
  if (code !== null) return code;
  return status >= 400 ? String(status) : null;
}

/** The request failed in the eyes of the application: a 5xx, no or a broken answer, or refused by Outrigger. */
export function failed(request: RequestRecord): boolean {
  if (request.code !== null) return request.code !== CALLER_LEFT;
  return request.status >= 500 || request.status === 0;
}

/** `ok`, `failed`, or `cancelled_hedge` for an attempt that was given up because its answer was not needed. */
export function attemptOutcome(attempt: AttemptRecord): 'ok' | 'failed' | 'cancelled_hedge' {
  if (attempt.code === CALLER_LEFT) return 'cancelled_hedge';
  if (attempt.code === null && attempt.status === 0) return 'cancelled_hedge';
  return attempt.code !== null || attempt.status >= 500 ? 'failed' : 'ok';
}

/** Waiting longer than this for an endpoint or connection earns a request a span of its own. */
const QUEUE_SPAN_MS = 5;

/** An outbound request that is told by more than its one attempt: retried, hedged or queued. */
export function needsOwnSpan(request: RequestRecord): boolean {
  const { attempts, queueMs } = request;
  return attempts.length > 1 || (attempts.length === 1 && queueMs > QUEUE_SPAN_MS);
}
