/** Where the two times come from; tests own them. */
export interface TimeSources {
  /** Milliseconds with a fraction; never go back. */
  readonly monotonic: () => number;
  /** Whole milliseconds since the Unix epoch; may jump. */
  readonly wall: () => number;
}

/** How often the date is compared with the system's, milliseconds. */
const COMPARE_MS = 1000;
/** A system clock further off than this was set; what is nearer is only its whole milliseconds. */
const TOLERATED_MS = 2;

/**
 * The date with the resolution of the monotonic clock, so that times of several processes of one machine
 * can be put in order. Follows within a second when the system's clock is set.
 */
export class WallTime {
  readonly #sources: TimeSources;
  #offsetMs: number;
  #compareMs = Number.NEGATIVE_INFINITY;

  /** `originMs`: milliseconds since the epoch at which the monotonic clock showed 0. */
  constructor(originMs: number, sources: TimeSources) {
    this.#offsetMs = originMs;
    this.#sources = sources;
  }

  /** Milliseconds since the Unix epoch, with a fraction. */
  now(): number {
    return this.at(this.#sources.monotonic());
  }

  /** The same for a reading of the monotonic clock that has just been taken. */
  at(monotonicMs: number): number {
    if (monotonicMs >= this.#compareMs) this.#compare(monotonicMs);
    return this.#offsetMs + monotonicMs;
  }

  #compare(monotonicMs: number): void {
    this.#compareMs = monotonicMs + COMPARE_MS;
    // The system cuts the fraction off: half a millisecond is the best guess at it.
    const wallMs = this.#sources.wall() + 0.5;
    if (Math.abs(this.#offsetMs + monotonicMs - wallMs) > TOLERATED_MS) {
      this.#offsetMs = wallMs - monotonicMs;
    }
  }
}
