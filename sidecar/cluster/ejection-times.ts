import type { Clock } from '../../telemetry/clock.ts';
import type { Endpoint } from './endpoint.ts';

interface Past {
  /** Ejections that count towards the length of the next one. */
  level: number;
  returnedAt: number;
}

/** Keeps `2 ** level` finite; long past every useful maximum. */
const MAX_LEVEL = 30;
/** ±50 %, so that callers that ejected together do not try together. */
const JITTER = 0.5;

/**
 * How long ejections last: `base · 2^n` with jitter, never above the maximum. n grows with every
 * ejection and falls by one for every quiet period, which is as long as the longest ejection.
 */
export class EjectionTimes {
  readonly #clock: Clock;
  readonly #past = new Map<Endpoint, Past>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Clock time at which an ejection that starts now ends. */
  nextEnd(
    endpoint: Endpoint,
    options: { readonly baseEjectionMs: number; readonly maxEjectionMs: number },
  ): number {
    const now = this.#clock.now();
    const past = this.#past.get(endpoint) ?? { level: 0, returnedAt: now };
    const quiet = Math.floor((now - past.returnedAt) / options.maxEjectionMs);
    const level = Math.max(0, past.level - quiet);
    const spread = 1 - JITTER + 2 * JITTER * this.#clock.random();
    const ms = Math.min(options.maxEjectionMs, options.baseEjectionMs * 2 ** level * spread);
    this.#past.set(endpoint, { level: Math.min(MAX_LEVEL, level + 1), returnedAt: now + ms });
    return now + ms;
  }

  /** The quiet time starts. */
  returned(endpoint: Endpoint): void {
    const past = this.#past.get(endpoint);
    if (past !== undefined) past.returnedAt = this.#clock.now();
  }

  forget(endpoint: Endpoint): void {
    this.#past.delete(endpoint);
  }
}
