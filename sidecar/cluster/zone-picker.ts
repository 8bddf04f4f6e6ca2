import type { Clock } from '../../telemetry/clock.ts';
import type { Picker, PickerFactory, PickInput } from '../balancer/picker.ts';
import type { Endpoint } from './endpoint.ts';
import type { ClusterLoad } from './load.ts';
import type { ZoneSplit } from './locality.ts';
import { Reluctance } from './reluctance.ts';

/** Why an endpoint was chosen (`outrigger.lb.reason`). */
export type PickReason =
  | 'policy'
  | 'zone_local'
  | 'zone_spill'
  | 'local_unhealthy'
  | 'panic'
  | 'retry_other_endpoint'
  | 'only_endpoint'
  | 'explore';

export interface ZonePickerOptions {
  readonly endpoints: readonly Endpoint[];
  readonly factory: PickerFactory;
  readonly load: ClusterLoad;
  readonly clock: Clock;
  /** Our own zone; empty when unknown. */
  readonly zone: string;
  /** Null: zones are ignored. */
  readonly split: ZoneSplit | null;
  /** Reason of a first choice where zones do not decide. */
  readonly plainReason: PickReason;
  /** Reason of a choice in another zone. */
  readonly remoteReason: PickReason;
}

interface Zone {
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
  readonly picker: Picker;
}

/** From this attempt on two have failed, perhaps both in one zone. */
const LEAVES_ZONE_AT = 3;

/** Chooses a zone, then lets the policy choose inside it; one picker per zone and one over all. */
export class ZonePicker implements Picker {
  /** Of the last choice. */
  reason: PickReason = 'policy';
  readonly #endpoints: readonly Endpoint[];
  readonly #clock: Clock;
  readonly #reluctance: Reluctance;
  readonly #all: Picker;
  readonly #split: ZoneSplit | null;
  /** Zones with endpoints; empty where zones are ignored. */
  readonly #zones: readonly Zone[];
  readonly #local: Picker;
  /** In the order of the split. */
  readonly #remote: readonly Picker[];
  readonly #plainReason: PickReason;
  readonly #remoteReason: PickReason;

  constructor(options: ZonePickerOptions) {
    const { endpoints, factory, load, clock, zone, split } = options;
    const build = (members: readonly Endpoint[]): Picker => factory(members, load, clock);
    this.#endpoints = endpoints;
    this.#clock = clock;
    this.#reluctance = new Reluctance(clock);
    this.#all = build(endpoints);
    this.#split = split;
    this.#plainReason = options.plainReason;
    this.#remoteReason = options.remoteReason;
    this.#zones = split === null ? [] : zonesOf(endpoints, build);
    const pickers = new Map(this.#zones.map(({ name, picker }) => [name, picker]));
    this.#local = pickers.get(zone) ?? this.#all;
    this.#remote = (split?.remote ?? []).map((name) => pickers.get(name) as Picker);
  }

  pick(input: PickInput): Endpoint | null {
    if (input.attempt > 1) return this.#pickAnother(input);
    if (this.#endpoints.length === 1) {
      this.reason = this.#plainReason === 'panic' ? 'panic' : 'only_endpoint';
      return this.#endpoints[0] as Endpoint;
    }
    return this.#reluctance.pick(this.#drawPicker(), input);
  }

  #drawPicker(): Picker {
    if (this.#split === null) {
      this.reason = this.#plainReason;
      return this.#all;
    }
    const drawn = this.#split.draw(this.#clock);
    if (drawn < 0) {
      this.reason = 'zone_local';
      return this.#local;
    }
    const picker = this.#remote[drawn] as Picker;
    this.reason = picker === this.#local ? 'zone_local' : this.#remoteReason;
    return picker;
  }

  /** For a retry: an endpoint not tried yet, in another zone after two failures in one. */
  #pickAnother(input: PickInput): Endpoint | null {
    const picker =
      (input.attempt >= LEAVES_ZONE_AT ? this.#freshZone(input) : null) ?? this.#drawPicker();
    let chosen = picker.pick(input);
    if (chosen !== null && input.tried(chosen)) chosen = this.#all.pick(input);
    if (this.#plainReason === 'panic') this.reason = 'panic';
    else {
      this.reason =
        chosen !== null && input.tried(chosen) ? 'only_endpoint' : 'retry_other_endpoint';
    }
    return chosen;
  }

  /** Some zone without a tried endpoint if two were tried in one zone; else null. */
  #freshZone(input: PickInput): Picker | null {
    const { length } = this.#zones;
    const start = Math.floor(this.#clock.random() * length);
    let fresh: Picker | null = null;
    let twice = false;
    for (let step = 0; step < length; step++) {
      const zone = this.#zones[(start + step) % length] as Zone;
      const tried = triedIn(zone.endpoints, input);
      if (tried === 0) fresh ??= zone.picker;
      if (tried > 1) twice = true;
    }
    return twice ? fresh : null;
  }
}

function triedIn(endpoints: readonly Endpoint[], input: PickInput): number {
  let tried = 0;
  for (const endpoint of endpoints) if (input.tried(endpoint)) tried++;
  return tried;
}

function zonesOf(
  endpoints: readonly Endpoint[],
  build: (members: readonly Endpoint[]) => Picker,
): Zone[] {
  const zones = new Map<string, Endpoint[]>();
  for (const endpoint of endpoints) {
    const members = zones.get(endpoint.spec.zone);
    if (members === undefined) zones.set(endpoint.spec.zone, [endpoint]);
    else members.push(endpoint);
  }
  return Array.from(zones, ([name, members]) => ({
    name,
    endpoints: members,
    picker: build(members),
  }));
}
