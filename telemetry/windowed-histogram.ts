import type { Clock } from './clock.ts';

const SLOTS = 5;
const SLOT_MS = 2000;
/** Bucket `i` holds up to `LOWEST_MS × GROWTH^i`: 0.05 ms to about 130 s, 10 % apart. */
const LOWEST_MS = 0.05;
const GROWTH = 1.1;
const BUCKETS = 156;
const PER_LOG = 1 / Math.log(GROWTH);

/**
 * Durations of the last ten seconds or so, for quantiles that people watch; 5 % exact. Memory is fixed
 * (some 4 KiB), old values leave two seconds at a time.
 */
export class WindowedHistogram {
  readonly #clock: Clock;
  readonly #slots = new Uint32Array(SLOTS * BUCKETS);
  readonly #totals = new Uint32Array(BUCKETS);
  #count = 0;
  #period: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#period = Math.floor(clock.now() / SLOT_MS);
  }

  /** Values in the window. */
  get count(): number {
    this.#turn();
    return this.#count;
  }

  record(ms: number): void {
    this.#turn();
    const bucket = bucketOf(ms);
    const at = (this.#period % SLOTS) * BUCKETS + bucket;
    this.#slots[at] = (this.#slots[at] as number) + 1;
    this.#totals[bucket] = (this.#totals[bucket] as number) + 1;
    this.#count++;
  }

  /** Milliseconds below which the share `q` (0–1) of the values lies; null without values. */
  quantile(q: number): number | null {
    this.#turn();
    if (this.#count === 0) return null;
    const rank = Math.max(1, Math.ceil(q * this.#count));
    let seen = 0;
    let bucket = 0;
    for (; bucket < BUCKETS - 1; bucket++) {
      seen += this.#totals[bucket] as number;
      if (seen >= rank) break;
    }
    // The middle of the bucket, as ratios go.
    return LOWEST_MS * GROWTH ** (bucket - 0.5);
  }

  /** Empties the slots whose time has come again. */
  #turn(): void {
    const period = Math.floor(this.#clock.now() / SLOT_MS);
    if (period === this.#period) return;
    const stale = Math.min(SLOTS, period - this.#period);
    for (let turn = 1; turn <= stale; turn++) {
      const start = ((this.#period + turn) % SLOTS) * BUCKETS;
      for (let bucket = 0; bucket < BUCKETS; bucket++) {
        const gone = this.#slots[start + bucket] as number;
        this.#totals[bucket] = (this.#totals[bucket] as number) - gone;
        this.#count -= gone;
      }
      this.#slots.fill(0, start, start + BUCKETS);
    }
    this.#period = period;
  }
}

function bucketOf(ms: number): number {
  if (!(ms > LOWEST_MS)) return 0;
  return Math.min(BUCKETS - 1, Math.ceil(Math.log(ms / LOWEST_MS) * PER_LOG));
}
