import type { Clock } from '../../telemetry/clock.ts';
import type { Endpoint } from '../cluster/endpoint.ts';
import type { Picker, PickInput } from './picker.ts';
import { firstUntried } from './untried.ts';

// As many turns are given away to tried endpoints before the ring is walked; more than retries allow.
const TURNS = 4;

/**
 * Earliest deadline first: every endpoint has a deadline, the earliest is chosen and gets a new one
 * `1 / weight` later, so that turns come in proportion to weight and evenly spaced. First deadlines
 * are random, so that callers started together do not march in step. O(log n) per choice.
 */
export class EdfPicker implements Picker {
  readonly #usable: readonly Endpoint[];
  readonly #clock: Clock;
  /** Weight above 0 of an endpoint's next turn, read when its present turn is taken. */
  readonly #weight: (endpoint: Endpoint) => number;
  /** Binary heap of positions in `usable`, earliest deadline at the root. */
  readonly #heap: Int32Array;
  readonly #deadlines: Float64Array;

  constructor(usable: readonly Endpoint[], clock: Clock, weight: (endpoint: Endpoint) => number) {
    this.#usable = usable;
    this.#clock = clock;
    this.#weight = weight;
    this.#heap = Int32Array.from(usable.keys());
    this.#deadlines = Float64Array.from(usable, (endpoint) => clock.random() / weight(endpoint));
    for (let at = (usable.length >> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  pick(input: PickInput): Endpoint | null {
    if (this.#usable.length === 0) return null;
    for (let turn = 0; turn < TURNS; turn++) {
      const endpoint = this.#next();
      if (!input.tried(endpoint)) return endpoint;
    }
    return firstUntried(
      this.#usable,
      Math.floor(this.#clock.random() * this.#usable.length),
      input,
    );
  }

  #next(): Endpoint {
    const position = this.#heap[0] as number;
    const endpoint = this.#usable[position] as Endpoint;
    this.#deadlines[position] = (this.#deadlines[position] as number) + 1 / this.#weight(endpoint);
    this.#sink(0);
    return endpoint;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const deadlines = this.#deadlines;
    const moving = heap[from] as number;
    const deadline = deadlines[moving] as number;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = child + 1;
      if (
        right < heap.length &&
        (deadlines[heap[right] as number] as number) < (deadlines[heap[child] as number] as number)
      ) {
        child = right;
      }
      if ((deadlines[heap[child] as number] as number) >= deadline) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = moving;
  }
}
