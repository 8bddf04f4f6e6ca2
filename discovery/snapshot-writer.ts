import type { Clock, Timer } from '../telemetry/clock.ts';
import type { LastGood, LastGoodState } from './last-good.ts';

const MIN_GAP_MS = 5_000;

/** Saves the newest believed list of one service, at most every five seconds however often it changes. */
export class SnapshotWriter {
  readonly #lastGood: LastGood;
  readonly #service: string;
  readonly #clock: Clock;
  #newest: LastGoodState | null = null;
  #timer: Timer | null = null;
  #writtenAtMs = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> = Promise.resolve();

  constructor(lastGood: LastGood, service: string, clock: Clock) {
    this.#lastGood = lastGood;
    this.#service = service;
    this.#clock = clock;
  }

  offer(state: LastGoodState): void {
    this.#newest = state;
    const dueInMs = Math.max(0, this.#writtenAtMs + MIN_GAP_MS - this.#clock.now());
    this.#timer ??= this.#clock.schedule(dueInMs, () => this.#write());
  }

  /** Writes what waits, and ends. */
  async flush(): Promise<void> {
    this.#write();
    await this.#writing;
  }

  #write(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const state = this.#newest;
    if (state === null) return;
    this.#newest = null;
    this.#writtenAtMs = this.#clock.now();
    this.#writing = this.#writing.then(() => this.#lastGood.write(this.#service, state));
  }
}
