import type { Clock } from '../../telemetry/clock.ts';

/** Eight buckets per doubling: a quantile is at most 9 % above the true one. */
const PER_DOUBLING = 8;
/** Upper bound of the first bucket, milliseconds. */
const SMALLEST_MS = 1 / 16;
/** 1/16 ms to 17 minutes. */
const BUCKETS = 24 * PER_DOUBLING;
const SLOT_MS = 5000;

/** How long answers took over the last five to ten seconds. */
export class Latency {
  readonly #clock: Clock;
  #present = new Uint32Array(BUCKETS);
  #past = new Uint32Array(BUCKETS);
  #slotEnds: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#slotEnds = clock.now() + SLOT_MS;
  }

  /** An answer that took `ms` came at `nowMs`. */
  record(ms: number, nowMs = this.#clock.now()): void {
    this.#turn(nowMs);
    const at = Math.ceil(Math.log2(Math.max(ms, SMALLEST_MS) / SMALLEST_MS) * PER_DOUBLING);
    const bucket = Math.min(BUCKETS - 1, at);
    this.#present[bucket] = (this.#present[bucket] as number) + 1;
  }

  /** Milliseconds that the given share (0–1) of the answers took at most; null without answers. */
  quantile(share: number): number | null {
    this.#turn(this.#clock.now());
    let total = 0;
    for (let at = 0; at < BUCKETS; at++) total += this.#count(at);
    if (total === 0) return null;
    let left = Math.max(1, Math.ceil(total * share));
    let at = 0;
    for (; at < BUCKETS - 1; at++) {
      left -= this.#count(at);
      if (left <= 0) break;
    }
    return SMALLEST_MS * 2 ** (at / PER_DOUBLING);
  }

  #count(bucket: number): number {
    return (this.#present[bucket] as number) + (this.#past[bucket] as number);
  }

  #turn(now: number): void {
    if (now < this.#slotEnds) return;
    const emptied = this.#past;
    this.#past = this.#present;
    this.#present = emptied.fill(0);
    if (now >= this.#slotEnds + SLOT_MS) this.#past.fill(0);
    this.#slotEnds = now + SLOT_MS;
  }
}
