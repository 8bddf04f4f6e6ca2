import type { Clock, Timer } from '../../telemetry/clock.ts';
import type { Endpoint } from './endpoint.ts';

export interface EaseShape {
  readonly windowMs: number;
  /** 1 grows linearly; above 1 rises faster at first. */
  readonly aggression: number;
}

/** Below this an endpoint would hardly be seen at all, and nothing could be learned of it. */
const LEAST = 0.1;
const STEP_MS = 200;

/**
 * Raises the soft weight of endpoints from a tenth to 1 over a window, in small steps
 * (`max(0.1, (t / window) ^ (1 / aggression))`, as Envoy's slow start). One timer while any is rising.
 */
export class Easing {
  readonly #clock: Clock;
  readonly #rising = new Map<Endpoint, { readonly since: number; readonly shape: EaseShape }>();
  #timer: Timer | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Starts over at the bottom; a window of 0 means full weight at once. */
  start(endpoint: Endpoint, shape: EaseShape): void {
    if (shape.windowMs <= 0) {
      this.stop(endpoint);
      return;
    }
    endpoint.softWeight = LEAST;
    this.#rising.set(endpoint, { since: this.#clock.now(), shape });
    this.#tick();
  }

  /** Full weight from now on. */
  stop(endpoint: Endpoint): void {
    endpoint.softWeight = 1;
    this.#rising.delete(endpoint);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #tick(): void {
    this.#timer ??= this.#clock.schedule(STEP_MS, () => {
      this.#timer = null;
      const now = this.#clock.now();
      for (const [endpoint, { since, shape }] of this.#rising) {
        const risen = (now - since) / shape.windowMs;
        if (risen >= 1) this.stop(endpoint);
        else endpoint.softWeight = Math.max(LEAST, risen ** (1 / shape.aggression));
      }
      if (this.#rising.size > 0) this.#tick();
    });
  }
}
