import type { Failure } from '../failure.ts';
import { type BackoffOptions, backoffCeilingMs } from './backoff.ts';
import type { RetryBudget } from './budget.ts';

export interface RetryOptions extends BackoffOptions {
  /** Most retries of one request. */
  readonly max: number;
  /** Statuses after which an idempotent request is tried again. */
  readonly on: readonly number[];
}

/** A failed attempt and what is left of its request. */
export interface RetryContext {
  /** Why there was no usable response; null when `status` is to be judged. */
  readonly failure: Failure | null;
  /** Status of the response head, 0 for none. */
  readonly status: number;
  readonly method: string;
  /** The request carries an Idempotency-Key. */
  readonly idempotencyKey: boolean;
  /** Its body can be sent again from the start. */
  readonly replayable: boolean;
  /** Number of the attempt that failed, from 1. */
  readonly attempt: number;
  /** A final head has been passed on. */
  readonly headSent: boolean;
  /** Milliseconds to the deadline, infinite without one. */
  readonly timeLeftMs: number;
  /** What the cluster's answers usually take, milliseconds; 0 when unknown. */
  readonly typicalMs: number;
  readonly panic: boolean;
  /** The request is a retry of our caller's (`outrigger-attempt` above 1). */
  readonly nested: boolean;
  /** What the endpoint asked for with Retry-After, milliseconds, or null. */
  readonly retryAfterMs: number | null;
  readonly budget: RetryBudget;
}

/** Why no attempt follows (`outrigger.retry.denied`); `final`: another one could not have mended it. */
export type RetryDenied =
  | 'final'
  | 'response_started'
  | 'attempts'
  | 'nested'
  | 'panic'
  | 'not_idempotent'
  | 'rate_limited'
  | 'body_too_large'
  | 'deadline'
  | 'budget';

/** RFC 9110 §9.2.2. */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PUT',
  'DELETE',
]);

const TOO_MANY_REQUESTS = 429;

/** Decides whether another attempt may follow a failed one. */
export class RetryPolicy {
  readonly options: RetryOptions;
  readonly #statuses: ReadonlySet<number>;

  constructor(options: RetryOptions) {
    this.options = options;
    this.#statuses = new Set(options.on);
  }

  /** A response with this status may lead to a retry, so it is not passed on before `decide` was asked. */
  retriesStatus(status: number): boolean {
    return this.#statuses.has(status);
  }

  /** Null: send another attempt; a token has been taken where an application may have seen this one. Else the reason why not. */
  decide(context: RetryContext): RetryDenied | null {
    const { failure, attempt } = context;
    if (context.headSent || failure?.code === 'response_truncated') return 'response_started';
    const safety = this.#safety(context);
    if (safety !== 'safe' && safety !== 'idempotent') return safety;
    if (attempt > this.options.max) return 'attempts';
    // The close of an idle connection says nothing of the endpoint, and there is one such retry at most:
    // it goes out on a fresh connection.
    const race = failure?.code === 'keepalive_race';
    if (context.nested && !race) return 'nested';
    // In panic the next endpoint is no better known; but what never reached an application costs none anything.
    if (context.panic && safety === 'idempotent' && !race) return 'panic';
    if (safety === 'idempotent' && !isIdempotent(context)) return 'not_idempotent';
    if (!context.replayable) return 'body_too_large';
    const waitMs = Math.max(context.retryAfterMs ?? 0, backoffCeilingMs(this.options, attempt));
    if (context.timeLeftMs <= waitMs + context.typicalMs) return 'deadline';
    // Tokens guard applications against repeated work; there is none in what never reached one.
    return safety === 'safe' || race || context.budget.tryWithdraw() ? null : 'budget';
  }

  /** What must hold for a retry: nothing (`safe`), an idempotent request; or why there is none. */
  #safety({ failure, status, retryAfterMs }: RetryContext): 'safe' | 'idempotent' | RetryDenied {
    if (failure !== null) {
      if (failure.retryable !== 'never') return failure.retryable;
      return outOfTime.has(failure.code) ? 'deadline' : 'final';
    }
    if (!this.#statuses.has(status)) return 'final';
    return status === TOO_MANY_REQUESTS && retryAfterMs === null ? 'rate_limited' : 'idempotent';
  }
}

const outOfTime: ReadonlySet<string> = new Set([
  'request_timeout',
  'deadline_exceeded',
  'deadline_unmeetable',
]);

function isIdempotent(context: RetryContext): boolean {
  return context.idempotencyKey || IDEMPOTENT.has(context.method);
}
