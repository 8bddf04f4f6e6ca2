/**
 * Time and chance, as every layer sees them: one object that production backs with the system and
 * tests own. It lives in the bottom layer because all three layers wait, measure and jitter.
 */
export interface Clock {
  /** Monotonic milliseconds with a fraction; never goes back, has no relation to the date. */
  now(): number;
  /**
   * Milliseconds since the Unix epoch, with a fraction; may jump. Only for what people and other machines
   * read. `atMs`: a reading of `now()` that has just been taken, which saves another.
   */
  wallTime(atMs?: number): number;
  /** Uniform in [0, 1). */
  random(): number;
  /**
   * Calls back once, never early, up to `TICK_MS` late: deadlines and sweeps, not precise timing.
   * An exception in the callback is a bug and is not caught here.
   */
  schedule(delayMs: number, callback: () => void): Timer;
}

/** A pending call-back. Cancelling twice, or after it has fired, does nothing. */
export interface Timer {
  cancel(): void;
}
