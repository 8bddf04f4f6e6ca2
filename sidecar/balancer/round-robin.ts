import type { Clock } from '../../telemetry/clock.ts';
import type { Endpoint } from '../cluster/endpoint.ts';
import { EdfPicker } from './edf.ts';
import type { Picker, PickerFactory, PickInput } from './picker.ts';
import { firstUntried } from './untried.ts';
import { equalWeights, weightOf } from './weights.ts';

// Smooth weighting looks at every member on each choice; above this a heap is cheaper.
const SMOOTH_LIMIT = 64;

/** In turn, by weight, evenly interleaved, from a random start. */
export const roundRobin: PickerFactory = (usable, _load, clock) => {
  if (equalWeights(usable)) return new TurnPicker(usable, clock);
  return usable.length > SMOOTH_LIMIT
    ? new EdfPicker(usable, clock, weightOf)
    : new SmoothPicker(usable, clock);
};

/** One after the other: what the weighted forms come down to when all weights are equal. */
class TurnPicker implements Picker {
  readonly #usable: readonly Endpoint[];
  #turn: number;

  constructor(usable: readonly Endpoint[], clock: Clock) {
    this.#usable = usable;
    this.#turn = Math.floor(clock.random() * usable.length);
  }

  pick(input: PickInput): Endpoint | null {
    if (this.#usable.length === 0) return null;
    const turn = this.#turn;
    this.#turn = (turn + 1) % this.#usable.length;
    return firstUntried(this.#usable, turn, input);
  }
}

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
      this.#pay(this.#grow());
    }
  }

  pick(input: PickInput): Endpoint | null {
    if (this.#usable.length === 0) return null;
    let chosen = this.#grow();
    if (input.tried(this.#usable[chosen] as Endpoint))
      chosen = this.#richestUntried(input) ?? chosen;
    this.#pay(chosen);
    return this.#usable[chosen] as Endpoint;
  }

  /** Credits everybody with a turn; the position of the richest. */
  #grow(): number {
    const credits = this.#credits;
    const weights = this.#weights;
    let best = 0;
    let most = Number.MIN_SAFE_INTEGER;
    for (let index = 0; index < credits.length; index++) {
      const credit = (credits[index] as number) + (weights[index] as number);
      credits[index] = credit;
      if (credit > most) {
        best = index;
        most = credit;
      }
    }
    return best;
  }

  #pay(index: number): void {
    this.#credits[index] = (this.#credits[index] as number) - this.#total;
  }

  #richestUntried(input: PickInput): number | null {
    let best: number | null = null;
    for (let index = 0; index < this.#credits.length; index++) {
      const richer =
        best === null || (this.#credits[index] as number) > (this.#credits[best] as number);
      if (richer && !input.tried(this.#usable[index] as Endpoint)) best = index;
    }
    return best;
  }
}
