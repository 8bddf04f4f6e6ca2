import type { Clock } from '../../telemetry/clock.ts';

export interface BackoffOptions {
  /** Step: the n-th retry waits up to `baseMs · (2^n − 1)`. */
  readonly baseMs: number;
  readonly maxMs: number;
}

/** Longest wait before the n-th retry (n from 1), in milliseconds. */
export function backoffCeilingMs(options: BackoffOptions, retry: number): number {
  return Math.min(options.maxMs, options.baseMs * (2 ** retry - 1));
}

/**
 * Wait before the n-th retry (n from 1), in milliseconds: full jitter below the ceiling, and never
 * less than what the endpoint asked for with Retry-After (`retryAfterMs`, null without).
 */
export function backoffMs(
  options: BackoffOptions,
  retry: number,
  retryAfterMs: number | null,
  clock: Clock,
): number {
  return Math.max(retryAfterMs ?? 0, clock.random() * backoffCeilingMs(options, retry));
}
