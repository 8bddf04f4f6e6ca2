import type { Clock, Timer } from '../../telemetry/clock.ts';

interface Pending {
  dueMs: number;
  order: number;
  callback: (() => void) | null;
}

/** A clock that only moves when told to. Timers fire in order of due time, exactly when due. */
export class FakeClock implements Clock {
  #nowMs: number;
  #order = 0;
  #pending: Pending[] = [];
  readonly #epochMs: number;
  readonly #seed: { state: number };

  constructor(options: { nowMs?: number; epochMs?: number; seed?: number } = {}) {
    this.#nowMs = options.nowMs ?? 1000;
    this.#epochMs = options.epochMs ?? 1_700_000_000_000;
    this.#seed = { state: options.seed ?? 1 };
  }

  now(): number {
    return this.#nowMs;
  }

  wallTime(): number {
    return this.#epochMs + this.#nowMs;
  }

  /** mulberry32: small, seeded, good enough to spread. */
  random(): number {
    this.#seed.state = (this.#seed.state + 0x6d2b79f5) | 0;
    let t = this.#seed.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  schedule(delayMs: number, callback: () => void): Timer {
    const entry: Pending = {
      dueMs: this.#nowMs + Math.max(0, delayMs),
      order: this.#order++,
      callback,
    };
    this.#pending.push(entry);
    return {
      cancel: () => {
        entry.callback = null;
      },
    };
  }

  /** Timers that have neither fired nor been cancelled. */
  get pending(): number {
    return this.#pending.filter((entry) => entry.callback !== null).length;
  }

  /** Moves time on and fires what comes due on the way, also what those callbacks schedule. */
  advance(ms: number): void {
    const until = this.#nowMs + ms;
    for (;;) {
      this.#pending = this.#pending.filter((entry) => entry.callback !== null);
      let next: Pending | null = null;
      for (const entry of this.#pending) {
        if (entry.dueMs > until) continue;
        if (
          next === null ||
          entry.dueMs < next.dueMs ||
          (entry.dueMs === next.dueMs && entry.order < next.order)
        )
          next = entry;
      }
      if (next === null) break;
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      const callback = next.callback;
      next.callback = null;
      callback?.();
    }
    this.#nowMs = until;
  }
}
