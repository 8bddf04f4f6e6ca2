import type { Clock } from '../../telemetry/clock.ts';
import type { Endpoint } from '../cluster/endpoint.ts';
import { EdfPicker } from './edf.ts';
import type { Picker, PickerFactory, PickInput } from './picker.ts';
import { firstUntried } from './untried.ts';
import { equalWeights, weightOf } from './weights.ts';

/**
 * Prefers endpoints with few requests of ours in flight. With equal weights it compares a few random
 * ones; with unequal weights it schedules by `weight / (inflight + 1) ^ activeRequestBias`.
 */
export function leastRequest(options: {
  readonly choiceCount: number;
  readonly activeRequestBias: number;
}): PickerFactory {
  return (usable, _load, clock) =>
    equalWeights(usable)
      ? new ChoicePicker(usable, clock, options.choiceCount)
      : new EdfPicker(usable, clock, biasedWeight(options.activeRequestBias));
}

function biasedWeight(bias: number): (endpoint: Endpoint) => number {
  if (bias === 1) return (endpoint) => weightOf(endpoint) / (endpoint.inflight + 1);
  if (bias === 0) return weightOf;
  return (endpoint) => weightOf(endpoint) / (endpoint.inflight + 1) ** bias;
}

/**
 * The power of several choices (Mitzenmacher, 2001): candidates are drawn without replacement, so an
 * endpoint never competes with itself; fewest in flight wins, the first of equals.
 */
class ChoicePicker implements Picker {
  readonly #usable: readonly Endpoint[];
  readonly #clock: Clock;
  readonly #choices: number;
  /** A permutation, shuffled a little further by every choice: distinct draws without allocation. */
  readonly #order: Int32Array;

  constructor(usable: readonly Endpoint[], clock: Clock, choices: number) {
    this.#usable = usable;
    this.#clock = clock;
    this.#choices = Math.min(choices, usable.length);
    this.#order = Int32Array.from(usable.keys());
  }

  pick(input: PickInput): Endpoint | null {
    const usable = this.#usable;
    const order = this.#order;
    const count = usable.length;
    if (count === 0) return null;
    let best: Endpoint | null = null;
    for (let drawn = 0; drawn < this.#choices; drawn++) {
      const at = drawn + Math.floor(this.#clock.random() * (count - drawn));
      const position = order[at] as number;
      order[at] = order[drawn] as number;
      order[drawn] = position;
      const candidate = usable[position] as Endpoint;
      if (best !== null && candidate.inflight >= best.inflight) continue;
      if (!input.tried(candidate)) best = candidate;
    }
    return best ?? firstUntried(usable, order[0] as number, input);
  }
}
