import type { Clock } from '../../telemetry/clock.ts';
import type { Endpoint } from '../cluster/endpoint.ts';
import { AliasTable } from './alias-table.ts';
import type { Picker, PickerFactory, PickInput } from './picker.ts';
import { firstUntried } from './untried.ts';
import { weightOf } from './weights.ts';

/** Draws by weight, without memory. */
export const random: PickerFactory = (usable, _load, clock) => new RandomPicker(usable, clock);

// A retry that meets tried endpoints this often goes round the ring instead.
const DRAWS = 3;

class RandomPicker implements Picker {
  readonly #usable: readonly Endpoint[];
  readonly #clock: Clock;
  readonly #table: AliasTable;

  constructor(usable: readonly Endpoint[], clock: Clock) {
    this.#usable = usable;
    this.#clock = clock;
    this.#table = new AliasTable(usable.map(weightOf));
  }

  pick(input: PickInput): Endpoint | null {
    if (this.#usable.length === 0) return null;
    let index = 0;
    for (let draw = 0; draw < DRAWS; draw++) {
      index = this.#table.draw(this.#clock.random());
      const endpoint = this.#usable[index] as Endpoint;
      if (!input.tried(endpoint)) return endpoint;
    }
    return firstUntried(this.#usable, index, input);
  }
}
