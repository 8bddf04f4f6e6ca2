import type { Counter, Gauge } from './cell.ts';
import type { Family, LabelValue } from './family.ts';

/** Called at collection: reports each series' present value, labels in the order of the family. */
export type Observe = (report: (values: readonly LabelValue[], value: number) => void) => void;

/**
 * A family whose values are kept elsewhere. Its series live from one collection to the next, so that
 * counters keep their start; what is not reported any more is gone.
 */
export class ObservedFamily {
  readonly family: Family<Counter | Gauge>;
  readonly #observers = new Set<Observe>();

  constructor(family: Family<Counter | Gauge>) {
    this.family = family;
  }

  add(observe: Observe): void {
    this.#observers.add(observe);
  }

  remove(observe: Observe): void {
    this.#observers.delete(observe);
  }

  /** Asks everybody. Values reported for the same labels add up. */
  ask(nowMs: number, wallMs: number): void {
    const reported = new Set<Counter | Gauge>();
    for (const observe of this.#observers) {
      observe((values, value) => {
        const cell = this.family.cell(values, '', true, nowMs, wallMs);
        cell.value = reported.has(cell) ? cell.value + value : value;
        reported.add(cell);
      });
    }
    this.family.keepOnly(reported);
  }
}
