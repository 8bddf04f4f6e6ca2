import type { Failure, FailureCode } from '../failure.ts';

/** How an attempt ended. */
export interface AttemptOutcome {
  /** Status of the final response head, 0 for none. */
  readonly status: number;
  /** Why there is no complete response, or null. */
  readonly failure: Failure | null;
  readonly durationMs: number;
}

/**
 * What an outcome says of the endpoint: `ok`; `server_error` and `gateway_error` are answers (other
 * 5xx, and 502–504); `refused` and `local` were seen from here; `none` says nothing, because the
 * caller left or a limit of ours was hit.
 */
export type Verdict = 'ok' | 'server_error' | 'gateway_error' | 'refused' | 'local' | 'none';

/** Failures that speak about the endpoint; all others are `none`. */
const verdicts: Partial<Record<FailureCode, Verdict>> = {
  connection_refused: 'refused',
  app_unreachable: 'refused',
  dns_failure: 'local',
  connect_timeout: 'local',
  tls_failure: 'local',
  tls_identity_mismatch: 'local',
  connection_reset: 'local',
  stream_reset: 'local',
  per_try_timeout: 'local',
  request_timeout: 'local',
  response_truncated: 'local',
  upstream_protocol_error: 'gateway_error',
  upstream_headers_too_large: 'server_error',
};

export function verdictOf(outcome: AttemptOutcome): Verdict {
  const { failure, status } = outcome;
  // A keep-alive race or a refused stream is the normal end of a connection, not a fault.
  if (failure !== null) return verdicts[failure.code] ?? 'none';
  if (status < 500) return status === 0 ? 'none' : 'ok';
  return status >= 502 && status <= 504 ? 'gateway_error' : 'server_error';
}
