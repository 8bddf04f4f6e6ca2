import type { Clock } from '../../telemetry/clock.ts';
import type { Picker, PickInput } from '../balancer/picker.ts';
import type { Endpoint } from './endpoint.ts';

/** Choices passed over per request; after that the next one stands, whatever its soft weight. */
const PASSES = 3;

/**
 * Draws choices against the endpoint's soft weight, for any policy. An endpoint passed over counts as
 * tried for the rest of the choice: a picker that prefers idle endpoints would offer it again and again.
 * One instance serves all requests, since a choice never outlives its call.
 */
export class Reluctance implements PickInput {
  readonly #clock: Clock;
  readonly #passed: (Endpoint | null)[] = Array.from({ length: PASSES }, () => null);
  #input: PickInput | null = null;
  attempt = 1;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  tried(endpoint: Endpoint): boolean {
    return this.#passed.includes(endpoint) || (this.#input as PickInput).tried(endpoint);
  }

  /** Retries take what they get: they need an endpoint other than the last, not a gentle start. */
  pick(picker: Picker, input: PickInput): Endpoint | null {
    const chosen = picker.pick(input);
    if (chosen === null || input.attempt > 1 || this.#stands(chosen)) return chosen;
    return this.#pickOther(chosen, picker, input);
  }

  #pickOther(first: Endpoint, picker: Picker, input: PickInput): Endpoint {
    this.#input = input;
    this.#passed.fill(null);
    let chosen = first;
    for (let pass = 0; pass < PASSES; pass++) {
      this.#passed[pass] = chosen;
      chosen = picker.pick(this) as Endpoint;
      // The first choice again: nobody else is left.
      if (this.#passed.includes(chosen)) return first;
      if (this.#stands(chosen)) break;
    }
    this.#input = null;
    return chosen;
  }

  #stands(endpoint: Endpoint): boolean {
    return endpoint.softWeight >= 1 || this.#clock.random() < endpoint.softWeight;
  }
}
