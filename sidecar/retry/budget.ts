import type { Clock } from '../../telemetry/clock.ts';

export interface RetryBudgetOptions {
  /** Tokens earned by each success, 0–1. */
  readonly perSuccess: number;
  /** Tokens earned each second, so that a rare caller can retry at all. */
  readonly perSecond: number;
  readonly maxTokens: number;
  readonly initialTokens: number;
}

// Balances are whole thousandths: adding 0.1 ten times is not 1.
const UNITS = 1000;

/**
 * Tokens that retries cost, one each. They come from successes, so the income stops when the callee
 * fails, and retries cannot keep an outage alive.
 */
export class RetryBudget {
  readonly #clock: Clock;
  #units: number;
  #perSuccess = 0;
  /** Units per second, so units per millisecond times a thousand. */
  #perSecond = 0;
  #max = 0;
  /** Up to when the trickle has been credited. */
  #creditedMs: number;

  constructor(options: RetryBudgetOptions, clock: Clock) {
    this.#clock = clock;
    this.#creditedMs = clock.now();
    this.#configure(options);
    this.#units = Math.min(this.#max, Math.floor(options.initialTokens * UNITS));
  }

  /** Earns what a success is worth. */
  deposit(): void {
    // Nearly always full: then there is nothing to earn, and the time is credited with the next withdrawal.
    if (this.#units === this.#max) return;
    this.#credit();
    this.#units = Math.min(this.#max, this.#units + this.#perSuccess);
  }

  /** Takes one token, or refuses. */
  tryWithdraw(): boolean {
    this.#credit();
    if (this.#units < UNITS) return false;
    this.#units -= UNITS;
    return true;
  }

  /** What is left, with three decimals; never negative, never above the maximum. */
  get tokens(): number {
    this.#credit();
    return this.#units / UNITS;
  }

  /** Takes new rates; tokens saved so far stay, up to the new maximum. */
  reconfigure(options: RetryBudgetOptions): void {
    this.#credit();
    this.#configure(options);
    this.#units = Math.min(this.#max, this.#units);
  }

  #configure(options: RetryBudgetOptions): void {
    this.#perSuccess = Math.round(options.perSuccess * UNITS);
    this.#perSecond = Math.round(options.perSecond * UNITS);
    this.#max = Math.floor(options.maxTokens * UNITS);
  }

  #credit(): void {
    const now = this.#clock.now();
    const earned = Math.floor(((now - this.#creditedMs) * this.#perSecond) / 1000);
    if (this.#perSecond === 0 || this.#units + earned >= this.#max) {
      this.#creditedMs = now;
      if (this.#perSecond > 0) this.#units = this.#max;
    } else if (earned > 0) {
      // Only whole units are credited; the rest of the time stays on account.
      this.#creditedMs += (earned * 1000) / this.#perSecond;
      this.#units += earned;
    }
  }
}
