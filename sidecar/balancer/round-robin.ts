import type { Clock } from '../../telemetry/clock.ts';
import type { Endpoint } from '../cluster/endpoint.ts';
import { EdfPicker } from './edf.ts';
import type { Picker, PickerFactory, PickInput } from './picker.ts';
import { weightOf } from './weights.ts';

// Smooth weighting looks at every member on each choice; above this a heap is cheaper.
const SMOOTH_LIMIT = 64;

/** In turn, by weight, evenly interleaved, from a random start. */
export const roundRobin: PickerFactory = (usable, _load, clock) =>
  usable.length > SMOOTH_LIMIT
    ? new EdfPicker(usable, clock, weightOf)
    : new SmoothPicker(usable, clock);

/**
 * Smooth weighted round robin as in NGINX: all credits grow by their weight, the largest is chosen
 * and pays the sum of all weights. Credits always add up to the same sum, so they stay bounded.
 */
class SmoothPicker implements Picker {
  readonly #usable: readonly Endpoint[];
  readonly #weights: Int32Array;
  readonly #credits: Int32Array;
  readonly #total: number;

  constructor(usable: readonly Endpoint[], clock: Clock) {
    this.#usable = usable;
    this.#weights = Int32Array.from(usable, weightOf);
    this.#credits = new Int32Array(usable.length);
    this.#total = this.#weights.reduce((sum, weight) => sum + weight, 0);
    for (let turns = Math.floor(clock.random() * usable.length); turns > 0; turns--) {
      this.#grow();
      this.#pay(this.#richest(null));
    }
  }

  pick(input: PickInput): Endpoint | null {
    if (this.#usable.length === 0) return null;
    this.#grow();
    let chosen = this.#richest(null);
    if (input.tried(this.#usable[chosen] as Endpoint)) {
      const other = this.#richest(input);
      if (other >= 0) chosen = other;
    }
    this.#pay(chosen);
    return this.#usable[chosen] as Endpoint;
  }

  #grow(): void {
    for (let index = 0; index < this.#credits.length; index++) {
      this.#credits[index] = (this.#credits[index] as number) + (this.#weights[index] as number);
    }
  }

  #pay(index: number): void {
    this.#credits[index] = (this.#credits[index] as number) - this.#total;
  }

  /** With an input only among those it has not tried; -1 when there is none. */
  #richest(input: PickInput | null): number {
    let best = -1;
    let most = -Infinity;
    for (let index = 0; index < this.#credits.length; index++) {
      const credit = this.#credits[index] as number;
      if (credit <= most) continue;
      if (input?.tried(this.#usable[index] as Endpoint) === true) continue;
      best = index;
      most = credit;
    }
    return best;
  }
}
