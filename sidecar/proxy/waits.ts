import type { Clock, Timer } from '../../telemetry/clock.ts';

/** What may run out while an exchange waits. */
export interface WaitOwner {
  totalTimeOver(): void;
  tryTimeOver(): void;
  silentForTooLong(): void;
}

/**
 * The clocks of one exchange: total time, time of the present attempt, silence. Silence is seen by a
 * counter that every piece moves, so that bytes cost neither a timer nor a look at the clock.
 */
export class Waits {
  readonly #clock: Clock;
  readonly #owner: WaitOwner;
  #total: Timer | null = null;
  #try: Timer | null = null;
  #silence: Timer | null = null;
  #moves = 0;
  #movesSeen = 0;

  constructor(clock: Clock, owner: WaitOwner) {
    this.#clock = clock;
    this.#owner = owner;
  }

  startTotal(ms: number): void {
    this.#total = this.#clock.schedule(ms, () => this.#owner.totalTimeOver());
  }

  startTry(ms: number): void {
    this.#try?.cancel();
    this.#try = ms > 0 ? this.#clock.schedule(ms, () => this.#owner.tryTimeOver()) : null;
  }

  /** Silence of `ms` to one and a half times as much is noticed. */
  startSilence(ms: number): void {
    if (ms <= 0) return;
    let still = 0;
    const look = (): void => {
      still = this.#moves === this.#movesSeen ? still + 1 : 0;
      this.#movesSeen = this.#moves;
      if (still >= 2) this.#owner.silentForTooLong();
      else this.#silence = this.#clock.schedule(ms / 2, look);
    };
    this.#silence = this.#clock.schedule(ms / 2, look);
  }

  moved(): void {
    this.#moves++;
  }

  stopTotal(): void {
    this.#total?.cancel();
  }

  stopTry(): void {
    this.#try?.cancel();
  }

  stop(): void {
    this.#total?.cancel();
    this.#try?.cancel();
    this.#silence?.cancel();
  }
}
