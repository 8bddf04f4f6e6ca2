import type { Clock, Timer } from '../../telemetry/clock.ts';
import { KeepAliveEstimate } from './keep-alive.ts';

/** Shortest pause between two sweeps. */
const MIN_SWEEP_MS = 100;

/** What is idle; times are those of `Clock.now()`. */
export interface IdleConnection {
  readonly idleSinceMs: number;
  /** Age limit: not used again from this moment. */
  readonly retireMs: number;
  readonly transport: { readonly over: boolean };
}

/**
 * The connections of a pool that carry nothing, and how long the peer keeps them. The one that became idle
 * last is taken first, so that surplus ones grow old; one timer sweeps out those that the peer may be about
 * to close.
 */
export class IdleConnections<T extends IdleConnection> {
  readonly #clock: Clock;
  readonly #retire: (connection: T) => void;
  readonly #keepAlive = new KeepAliveEstimate();
  /** Longest idle first. */
  readonly #stack: T[] = [];
  #sweep: Timer | null = null;
  #learnedMs: number | null = null;

  /** `retire` closes a connection that has been taken out. */
  constructor(clock: Clock, retire: (connection: T) => void) {
    this.#clock = clock;
    this.#retire = retire;
  }

  /** The peer's keep-alive time, milliseconds; null before the first sign. */
  get learnedMs(): number | null {
    return this.#learnedMs;
  }

  push(connection: T, nowMs: number): void {
    this.#stack.push(connection);
    this.#arm(nowMs);
  }

  /** The connection used last, or null; what is too old is retired on the way. */
  take(nowMs: number): T | null {
    const limitMs = this.#keepAlive.limitMs(nowMs);
    for (;;) {
      const connection = this.#stack.pop();
      if (connection === undefined) return null;
      // The peer has just closed it, and `closed` is still to come.
      if (connection.transport.over) continue;
      if (fresh(connection, nowMs, limitMs)) return connection;
      this.#retire(connection);
    }
  }

  /** It closed. */
  remove(connection: T): void {
    const at = this.#stack.indexOf(connection);
    if (at >= 0) this.#stack.splice(at, 1);
  }

  retireAll(): void {
    this.#sweep?.cancel();
    this.#sweep = null;
    for (const connection of this.#stack.splice(0)) this.#retire(connection);
  }

  /** The peer said how long it keeps idle connections. */
  announced(timeoutMs: number, nowMs: number): void {
    this.#keepAlive.announced(timeoutMs);
    this.#relearn(nowMs);
  }

  /** The peer closed a connection after that idle time. */
  closedIdle(idleMs: number, nowMs: number): void {
    this.#keepAlive.closedIdle(idleMs, nowMs);
    this.#relearn(nowMs);
  }

  #relearn(nowMs: number): void {
    const learnedMs = this.#keepAlive.learnedMs(nowMs);
    if (learnedMs === this.#learnedMs) return;
    this.#learnedMs = learnedMs;
    this.#sweep?.cancel();
    this.#sweep = null;
    this.#arm(nowMs);
  }

  #arm(nowMs: number): void {
    const oldest = this.#stack[0];
    if (this.#sweep !== null || oldest === undefined) return;
    const dueMs = oldest.idleSinceMs + this.#keepAlive.limitMs(nowMs);
    this.#sweep = this.#clock.schedule(Math.max(MIN_SWEEP_MS, dueMs - nowMs), this.#onSweep);
  }

  readonly #onSweep = (): void => {
    this.#sweep = null;
    const nowMs = this.#clock.now();
    const limitMs = this.#keepAlive.limitMs(nowMs);
    const kept = this.#stack.findIndex((connection) => fresh(connection, nowMs, limitMs));
    const expired = kept < 0 ? this.#stack.length : kept;
    for (const connection of this.#stack.splice(0, expired)) this.#retire(connection);
    this.#arm(nowMs);
  };
}

function fresh(connection: IdleConnection, nowMs: number, limitMs: number): boolean {
  return nowMs - connection.idleSinceMs < limitMs && nowMs < connection.retireMs;
}
