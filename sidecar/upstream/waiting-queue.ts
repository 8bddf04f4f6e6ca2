import type { Clock, Timer } from '../../telemetry/clock.ts';
import type { WaitingExchange } from './waiting-exchange.ts';

/**
 * Exchanges without a connection, in the order of their coming. Those at the front for whom a connection is
 * being opened are bounded by the connect timeout; the wait of the others by one timer for all.
 */
export class WaitingQueue {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #opening: () => number;
  readonly #expired: (exchange: WaitingExchange, waitedMs: number) => void;
  readonly #exchanges = new Set<WaitingExchange>();
  #timer: Timer | null = null;

  /** `opening`: how many connections are being opened; `expired` is told after the exchange has left. */
  constructor(
    clock: Clock,
    timeoutMs: number,
    opening: () => number,
    expired: (exchange: WaitingExchange, waitedMs: number) => void,
  ) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#opening = opening;
    this.#expired = expired;
  }

  get size(): number {
    return this.#exchanges.size;
  }

  /** Those for whom no connection is being opened. */
  get surplus(): number {
    return this.#exchanges.size - this.#opening();
  }

  add(exchange: WaitingExchange): void {
    this.#exchanges.add(exchange);
  }

  /** Takes out the one that waits longest, for a used connection of those that accept it; or null. */
  take(used: boolean): WaitingExchange | null {
    for (const exchange of this.#exchanges) {
      if (used && exchange.fresh) continue;
      this.#exchanges.delete(exchange);
      return exchange;
    }
    return null;
  }

  remove(exchange: WaitingExchange): void {
    this.#exchanges.delete(exchange);
  }

  /** Watches the wait of those who need it; called when connections or exchanges have changed. */
  arm(): void {
    if (this.#timer !== null || this.surplus <= 0) return;
    const oldest = this.#exchanges.values().next().value as WaitingExchange;
    const leftMs = oldest.sinceMs + this.#timeoutMs - this.#clock.now();
    this.#timer = this.#clock.schedule(Math.max(1, leftMs), this.#onTimer);
  }

  readonly #onTimer = (): void => {
    this.#timer = null;
    const nowMs = this.#clock.now();
    let surplus = this.surplus;
    for (const exchange of this.#exchanges) {
      const waitedMs = nowMs - exchange.sinceMs;
      if (surplus-- <= 0 || waitedMs < this.#timeoutMs) break;
      this.#exchanges.delete(exchange);
      this.#expired(exchange, waitedMs);
    }
    this.arm();
  };
}
