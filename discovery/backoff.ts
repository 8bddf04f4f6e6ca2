import type { Clock } from '../telemetry/clock.ts';

const MIN_MS = 250;
const MAX_MS = 15_000;

/** Waits between attempts at a registry: 250 ms doubling to 15 s, full jitter (Brooker, AWS, 2015). */
export class Backoff {
  readonly #clock: Clock;
  #failures = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts a failure; milliseconds to wait before the next attempt. */
  next(): number {
    const capMs = Math.min(MAX_MS, MIN_MS * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 16);
    return this.#clock.random() * capMs;
  }

  /** For what waiting a little does not mend, such as a refused token. */
  slow(): number {
    return MAX_MS * (0.5 + 0.5 * this.#clock.random());
  }

  reset(): void {
    this.#failures = 0;
  }
}
