import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../../telemetry/clock.ts';
import { Backoff } from '../backoff.ts';
import { pause } from '../pause.ts';
import { Pace } from './pace.ts';
import type { ConsulOutcome, ConsulRequest } from './transport.ts';

/** One good reply. */
export interface QueryReply {
  /** Unsigned 64 bits; 1 where Consul sent none. */
  readonly index: bigint;
  readonly body: Buffer;
  /** False when the body equals the last one that was applied. */
  readonly changed: boolean;
  readonly knownLeader: boolean;
}

/**
 * `unavailable`: no answer, or one that says "not now"; `denied`: the token; `rejected`: the request
 * itself, which only a person can mend; `unusable`: an answer that could not be applied.
 */
export interface QueryFailure {
  readonly kind: 'unavailable' | 'denied' | 'rejected' | 'unusable';
  readonly error: Error;
}

export interface BlockingQueryOptions {
  readonly request: (request: ConsulRequest) => Promise<ConsulOutcome>;
  readonly path: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Puts a reply in force. Null, or why it cannot be used; the index advances only after null. */
  readonly apply: (reply: QueryReply) => Promise<string | null>;
  readonly failed: (failure: QueryFailure) => void;
  /** Share one upstream query per agent where the agent can. */
  readonly cached: boolean;
  readonly waitMs: number;
  /** Interval when not blocking. */
  readonly pollMs: number;
}

const FIRST_DELAY_MS = 50;
const MAX_RETRY_AFTER_MS = 300_000;
/** Every 5 to 9 minutes, seen at the end of a wait of up to a minute: blocking queries have missed updates before. */
const REREAD_MIN_MS = 300_000;
const REREAD_SPREAD_MS = 240_000;
const MAX_MISSING_INDEXES = 3;

/**
 * Follows one Consul endpoint until the signal aborts: at most one request in flight, one `apply` or
 * `failed` per reply, never final whatever comes. Indexes come from replies with 2xx alone; one that
 * went back is handed on and the query starts over at 0.
 */
export class BlockingQuery {
  readonly #options: BlockingQueryOptions;
  readonly #pace: Pace;
  readonly #backoff: Backoff;
  #index = 0n;
  #applied: Buffer | null = null;
  #lastChanged = true;
  #missingIndexes = 0;
  /** Ask the servers themselves and in full next time. */
  #fresh = false;
  /** Ask without an index next time: a blocked query would not tell that an outage is over. */
  #restart = false;
  #rereadAtMs: number;
  #polling = false;
  #pending: AbortController | null = null;

  constructor(options: BlockingQueryOptions) {
    this.#options = options;
    this.#pace = new Pace(options.clock.now());
    this.#backoff = new Backoff(options.clock);
    this.#rereadAtMs = this.#nextReread();
  }

  /** Ends when the signal aborts; never rejects. */
  async run(): Promise<void> {
    const { clock, signal } = this.#options;
    await pause(clock, clock.random() * FIRST_DELAY_MS, signal);
    while (!signal.aborted) {
      await pause(clock, this.#pace.take(clock.now(), this.#lastChanged), signal);
      if (signal.aborted) return;
      const outcome = await this.#ask();
      if (signal.aborted) return;
      await pause(clock, await this.#handle(outcome), signal);
    }
  }

  /** Reads in full now instead of waiting for a change; during a back-off the next request does. */
  refresh(): void {
    this.#fresh = true;
    this.#pending?.abort();
  }

  /** Over the budget of watches a query polls instead of blocking. */
  setPolling(polling: boolean): void {
    if (this.#polling === polling) return;
    this.#polling = polling;
    if (polling) this.#pending?.abort();
  }

  get polling(): boolean {
    return this.#polling;
  }

  async #ask(): Promise<ConsulOutcome> {
    const { clock, signal, waitMs, path, query } = this.#options;
    if (clock.now() >= this.#rereadAtMs) this.#fresh = true;
    const fresh = this.#fresh;
    const full = fresh || this.#restart || this.#polling;
    if (fresh) this.#rereadAtMs = this.#nextReread();
    this.#fresh = false;
    this.#restart = false;
    const pending = new AbortController();
    const stop = (): void => pending.abort();
    signal.addEventListener('abort', stop, { once: true });
    this.#pending = pending;
    // Consul answers up to a sixteenth of the wait late, on purpose.
    const outcome = await this.#options.request({
      method: 'GET',
      path,
      query: {
        ...query,
        ...(this.#options.cached && !fresh ? { cached: '' } : {}),
        ...(full ? {} : { index: String(this.#index), wait: `${waitMs}ms` }),
      },
      timeoutMs: waitMs + waitMs / 16 + 5_000,
      signal: pending.signal,
      blocking: true,
    });
    this.#pending = null;
    signal.removeEventListener('abort', stop);
    return outcome;
  }

  /** Milliseconds to wait before the next request, apart from the pace. */
  async #handle(outcome: ConsulOutcome): Promise<number> {
    if (!outcome.ok) {
      if (outcome.reason === 'cancelled') return 0;
      if (outcome.reason === 'too_large') return this.#slowly('unusable', outcome.error);
      return this.#backOff(outcome.error, 0);
    }
    const { status, headers, body } = outcome;
    if (status >= 200 && status < 300) return this.#take(headers, body);
    const error = new Error(`consul answered ${status}: ${excerpt(body)}`);
    if (status === 403) return this.#slowly('denied', error);
    if (status >= 400 && status < 500 && status !== 429) return this.#slowly('rejected', error);
    return this.#backOff(error, retryAfterMs(headers, this.#options.clock));
  }

  async #take(headers: IncomingHttpHeaders, body: Buffer): Promise<number> {
    const sent = readIndex(headers['x-consul-index']);
    const index = sent ?? 1n;
    const changed = this.#applied === null || !this.#applied.equals(body);
    const knownLeader = headers['x-consul-knownleader'] === 'true';
    const problem = await this.#apply({ index, body, changed, knownLeader });
    if (this.#options.signal.aborted) return 0;
    if (problem !== null) {
      this.#fresh = true;
      this.#options.failed({ kind: 'unusable', error: problem });
      return this.#backoff.next();
    }
    this.#applied = body;
    this.#lastChanged = changed;
    this.#missingIndexes = sent === null ? this.#missingIndexes + 1 : 0;
    // A lower index means that Consul started over, so do we.
    this.#index = sent !== null && index < this.#index ? 0n : index;
    if (this.#missingIndexes >= MAX_MISSING_INDEXES) {
      this.#options.failed({
        kind: 'unusable',
        error: new Error(`no usable X-Consul-Index in ${this.#missingIndexes} replies`),
      });
      return this.#backoff.next();
    }
    this.#backoff.reset();
    if (!this.#polling) return 0;
    return this.#options.pollMs * (0.9 + 0.2 * this.#options.clock.random());
  }

  async #apply(reply: QueryReply): Promise<Error | null> {
    try {
      const problem = await this.#options.apply(reply);
      return problem === null ? null : new Error(problem);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  #backOff(error: Error, atLeastMs: number): number {
    this.#restart = true;
    this.#options.failed({ kind: 'unavailable', error });
    return atLeastMs + this.#backoff.next();
  }

  #slowly(kind: QueryFailure['kind'], error: Error): number {
    this.#restart = true;
    this.#options.failed({ kind, error });
    return this.#backoff.slow();
  }

  #nextReread(): number {
    const { clock } = this.#options;
    return clock.now() + REREAD_MIN_MS + clock.random() * REREAD_SPREAD_MS;
  }
}

/** Null for what is absent, 0, not a number, or above 64 bits. */
function readIndex(header: string | string[] | undefined): bigint | null {
  if (typeof header !== 'string' || !/^\d{1,20}$/.test(header)) return null;
  const index = BigInt(header);
  return index === 0n || index > 0xffff_ffff_ffff_ffffn ? null : index;
}

/** Seconds or a date (RFC 9110 §10.2.3), bounded, as an error must not silence a watch for hours. */
function retryAfterMs(headers: IncomingHttpHeaders, clock: Clock): number {
  const text = headers['retry-after'];
  if (text === undefined) return 0;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - clock.wallTime();
  return ms > 0 ? Math.min(MAX_RETRY_AFTER_MS, ms) : 0;
}

function excerpt(body: Buffer): string {
  return JSON.stringify(body.toString('utf8', 0, 200).trim());
}
