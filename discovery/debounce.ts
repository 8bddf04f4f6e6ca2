import type { Clock, Timer } from '../telemetry/clock.ts';

/**
 * Joins bursts: the first value goes out at once, what follows within `intervalMs` goes out as one,
 * the newest. A value is never lost, only superseded.
 */
export class Debounce<T> {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #deliver: (value: T) => void;
  #waiting: { readonly value: T } | null = null;
  #window: Timer | null = null;

  constructor(clock: Clock, intervalMs: number, deliver: (value: T) => void) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#deliver = deliver;
  }

  offer(value: T): void {
    if (this.#window !== null) {
      this.#waiting = { value };
      return;
    }
    this.#window = this.#clock.schedule(this.#intervalMs, () => this.#windowOver());
    this.#deliver(value);
  }

  /** Forgets what waits. */
  stop(): void {
    this.#window?.cancel();
    this.#window = null;
    this.#waiting = null;
  }

  #windowOver(): void {
    this.#window = null;
    const waiting = this.#waiting;
    if (waiting === null) return;
    this.#waiting = null;
    this.offer(waiting.value);
  }
}
