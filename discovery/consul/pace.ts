const BURST = 2;
const MIN_INTERVAL_MS = 250;
const MAX_CHANGING_MS = 1_000;
const MAX_IDLE_MS = 15_000;

/**
 * A token bucket for one blocking query: two requests at once, then one per 250 ms. On a hot index,
 * one that moves with every reply, the interval doubles: to 1 s while the replies bring changes, to
 * 15 s while they bring nothing. Quiet time brings it back.
 */
export class Pace {
  #tokens = BURST;
  #intervalMs = MIN_INTERVAL_MS;
  #atMs: number;

  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  /** Reserves the next request; milliseconds until it may be sent. */
  take(nowMs: number, lastReplyChanged: boolean): number {
    this.#tokens = Math.min(BURST, this.#tokens + (nowMs - this.#atMs) / this.#intervalMs);
    this.#atMs = nowMs;
    if (this.#tokens === BURST) this.#intervalMs = MIN_INTERVAL_MS;
    this.#tokens -= 1;
    if (this.#tokens >= 0) return 0;
    const delayMs = -this.#tokens * this.#intervalMs;
    const capMs = lastReplyChanged ? MAX_CHANGING_MS : MAX_IDLE_MS;
    this.#intervalMs = Math.min(capMs, this.#intervalMs * 2);
    // What was reserved is paid for at the interval it was promised at.
    this.#tokens = 0;
    this.#atMs = nowMs + delayMs;
    return delayMs;
  }
}
