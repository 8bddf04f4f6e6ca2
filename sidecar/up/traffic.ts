import { Agent, type IncomingMessage, request as send } from 'node:http';

/** What the traffic has seen so far, or since an earlier reading (`since`). */
export interface TrafficTotals {
  readonly sent: number;
  readonly succeeded: number;
  /** Reason (`HTTP 503 no_healthy_upstream`, `ECONNRESET`) → how often. */
  readonly failures: ReadonlyMap<string, number>;
  /** From the moment a call was due to its last byte, milliseconds; null without calls. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
}

/**
 * Steady open-loop traffic: calls leave on schedule whether or not earlier ones have been answered,
 * and a call's latency counts from the moment it was due, so that a stall is not flattered.
 */
export class Traffic {
  readonly #port: number;
  readonly #ratePerSecond: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MAX_IN_FLIGHT });
  readonly #latencies = new LatencyBuckets();
  readonly #failures = new Map<string, number>();
  readonly #idle = new Set<() => void>();
  #timer: NodeJS.Timeout | null = null;
  #startedAt = 0;
  #due = 0;
  #sent = 0;
  #succeeded = 0;
  #inFlight = 0;

  /** `port`: the loopback port of the edge sidecar that leads to the front service. */
  constructor(port: number, ratePerSecond: number) {
    this.#port = port;
    this.#ratePerSecond = ratePerSecond;
  }

  start(): void {
    this.#startedAt = performance.now();
    this.#timer = setInterval(() => this.#sendDue(), TICK_MS);
  }

  /** No new calls; resolves when the running ones have ended. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#idle.add(resolve));
    this.#agent.destroy();
  }

  totals(): TrafficTotals {
    return {
      sent: this.#sent,
      succeeded: this.#succeeded,
      failures: new Map(this.#failures),
      p50Ms: this.#latencies.quantile(0.5),
      p99Ms: this.#latencies.quantile(0.99),
      maxMs: this.#latencies.quantile(1),
    };
  }

  #sendDue(): void {
    const elapsedMs = performance.now() - this.#startedAt;
    const due = callsDue(elapsedMs, this.#ratePerSecond);
    for (; this.#due < due; this.#due++) {
      const dueAt = this.#startedAt + callDueMs(this.#due, this.#ratePerSecond);
      this.#sent += 1;
      if (this.#inFlight >= MAX_IN_FLIGHT) this.#fail('not sent: too many calls unanswered');
      else this.#call(dueAt);
    }
  }

  #call(dueAt: number): void {
    this.#inFlight += 1;
    const path = PATHS[this.#due % PATHS.length];
    const headers = { host: 'shop', 'user-agent': 'outrigger-up' };
    let settled = false;
    const settle = (failure: string | null) => {
      if (settled) return;
      settled = true;
      this.#inFlight -= 1;
      if (failure === null) this.#succeeded += 1;
      else this.#fail(failure);
      this.#latencies.add(performance.now() - dueAt);
      if (this.#inFlight > 0 || this.#timer !== null) return;
      for (const done of this.#idle) done();
    };
    const request = send(
      { host: '127.0.0.1', port: this.#port, path, headers, agent: this.#agent },
      (response) => {
        response.resume();
        response.once('end', () => settle(failureOf(response)));
        response.once('close', () => settle('response broken off'));
      },
    );
    request.setTimeout(CALL_TIMEOUT_MS, () => request.destroy(new Error('no answer in time')));
    request.once('error', (error: NodeJS.ErrnoException) => settle(error.code ?? error.message));
    request.end();
  }

  #fail(reason: string): void {
    const known = this.#failures.has(reason) || this.#failures.size < MAX_REASONS;
    const key = known ? reason : 'other';
    this.#failures.set(key, (this.#failures.get(key) ?? 0) + 1);
  }
}

/** How many calls are due once `elapsedMs` have passed; the first is due at once. */
export function callsDue(elapsedMs: number, ratePerSecond: number): number {
  return Math.floor((elapsedMs * ratePerSecond) / 1000) + 1;
}

/** When a call is due, by its index from 0; milliseconds after the start. */
export function callDueMs(index: number, ratePerSecond: number): number {
  return (index * 1000) / ratePerSecond;
}

const TICK_MS = 5;
const MAX_IN_FLIGHT = 256;
const MAX_REASONS = 20;
const CALL_TIMEOUT_MS = 10_000;
const PATHS = ['/', '/products/42', '/products/7', '/checkout'];

function failureOf(response: IncomingMessage): string | null {
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 400) return null;
  const code = response.headers['outrigger-error'];
  return typeof code === 'string' ? `HTTP ${status} ${code}` : `HTTP ${status}`;
}

/** Counts in buckets that are 5 % wide, from 0.1 ms to about two minutes. */
export class LatencyBuckets {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;
  #max = 0;

  add(ms: number): void {
    const bucket = ms <= FIRST_MS ? 0 : Math.ceil(Math.log(ms / FIRST_MS) / Math.log(GROWTH));
    const index = Math.min(bucket, BUCKETS - 1);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#total += 1;
    if (ms > this.#max) this.#max = ms;
  }

  /** Upper edge of the bucket in which the quantile lies, never above the maximum. */
  quantile(q: number): number | null {
    if (this.#total === 0) return null;
    const rank = Math.max(1, Math.ceil(q * this.#total));
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.#counts[i] ?? 0;
      if (seen >= rank) return Math.min(FIRST_MS * GROWTH ** i, this.#max);
    }
    return this.#max;
  }
}

const FIRST_MS = 0.1;
const GROWTH = 1.05;
const BUCKETS = 290;
