import { Counter, Gauge } from './cell.ts';
import type { Clock } from './clock.ts';
import {
  type CounterName,
  type FamilyName,
  type FamilySpec,
  families,
  type GaugeName,
  type HistogramName,
} from './families.ts';
import { Family, type LabelValue } from './family.ts';
import { Histogram } from './histogram.ts';
import type { MethodNames } from './method-names.ts';
import { type Observe, ObservedFamily } from './observed-family.ts';
import { type CellSource, RequestCells, type RequestCellsOptions } from './request-cells.ts';

/** A family as it is at the moment of collection. */
export type Collected =
  | { readonly kind: 'histogram'; readonly name: FamilyName; readonly family: Family<Histogram> }
  | {
      readonly kind: 'number';
      readonly name: FamilyName;
      readonly family: Family<Counter | Gauge>;
    };

/** Bounds of the registry. */
export interface MetricsOptions {
  /** Per family; what is beyond goes to one overflow series. */
  readonly maxSeries: number;
  /** Series that nobody holds are dropped after this time without a change. */
  readonly idleSeriesMs: number;
}

const SWEEP_MS = 60_000;

/**
 * All metric cells. A cell is bound once, when a cluster or route is built, and then counted in as a
 * plain field; labels are looked at again only when somebody collects.
 */
export class Metrics implements CellSource {
  readonly #clock: Clock;
  readonly #options: MetricsOptions;
  readonly #methods: MethodNames;
  readonly #histograms = new Map<FamilyName, Family<Histogram>>();
  readonly #numbers = new Map<FamilyName, Family<Counter | Gauge>>();
  readonly #observed = new Map<GaugeName | CounterName, ObservedFamily>();
  #sweptMs: number;
  /** Rises whenever series were dropped, so that who keeps cells without holding them looks them up anew. */
  generation = 0;

  constructor(clock: Clock, methods: MethodNames, options: MetricsOptions) {
    this.#clock = clock;
    this.#methods = methods;
    this.#options = options;
    this.#sweptMs = clock.now();
    this.observe('outrigger_metric_series', (report) => {
      for (const { name, family } of this.#all()) if (family.size > 0) report([name], family.size);
    });
  }

  /** The counter with these label values, held: it is there from now on, at 0. */
  counter(name: CounterName, ...values: readonly LabelValue[]): Counter {
    return this.#number(name, values, ownerOf(name, values), true) as Counter;
  }

  /** The gauge with these label values, held. */
  gauge(name: GaugeName, ...values: readonly LabelValue[]): Gauge {
    return this.#number(name, values, ownerOf(name, values), true) as Gauge;
  }

  /** Values that are kept elsewhere and asked for at collection. Returns the way to stop. */
  observe(name: GaugeName | CounterName, observe: Observe): () => void {
    let observed = this.#observed.get(name);
    if (observed === undefined) {
      observed = new ObservedFamily(numberFamily(name, this.#options.maxSeries));
      this.#observed.set(name, observed);
    }
    observed.add(observe);
    return () => observed.remove(observe);
  }

  /** What a route counts its requests in; one for each route, bound when the route is built. */
  requestCells(options: RequestCellsOptions): RequestCells {
    return new RequestCells(options, this, this.#methods);
  }

  /** A histogram that may be dropped when idle: look it up again when `generation` has changed. */
  looseHistogram(name: HistogramName, values: readonly LabelValue[], owner: string): Histogram {
    return this.#histogramFamily(name).cell(
      values,
      owner,
      false,
      this.#clock.now(),
      this.#clock.wallTime(),
    );
  }

  /** A counter that may be dropped when idle: look it up again when `generation` has changed. */
  looseCounter(name: CounterName, values: readonly LabelValue[], owner: string): Counter {
    return this.#number(name, values, owner, false) as Counter;
  }

  /** Drops every series of a service that is gone. */
  removeService(service: string): void {
    let dropped = 0;
    for (const { family } of this.#all()) dropped += family.dropOwner(service);
    if (dropped > 0) this.generation++;
  }

  /** The families that have series, observed ones asked now. Drops idle series, once a minute at most. */
  collect(): readonly Collected[] {
    this.#sweep();
    const collected: Collected[] = [];
    for (const entry of this.#all()) if (entry.family.size > 0) collected.push(entry);
    const nowMs = this.#clock.now();
    const wallMs = this.#clock.wallTime();
    for (const [name, observed] of this.#observed) {
      observed.ask(nowMs, wallMs);
      const { family } = observed;
      if (family.size > 0) collected.push({ kind: 'number', name, family });
    }
    return collected;
  }

  #sweep(): void {
    const nowMs = this.#clock.now();
    if (nowMs - this.#sweptMs < SWEEP_MS) return;
    this.#sweptMs = nowMs;
    let dropped = 0;
    for (const { family } of this.#all()) {
      dropped += family.dropIdle(nowMs, this.#options.idleSeriesMs);
    }
    if (dropped > 0) this.generation++;
  }

  *#all(): Iterable<Collected> {
    for (const [name, family] of this.#histograms) yield { kind: 'histogram', name, family };
    for (const [name, family] of this.#numbers) yield { kind: 'number', name, family };
  }

  #number(
    name: GaugeName | CounterName,
    values: readonly LabelValue[],
    owner: string,
    held: boolean,
  ): Counter | Gauge {
    let family = this.#numbers.get(name);
    if (family === undefined) {
      family = numberFamily(name, this.#options.maxSeries);
      this.#numbers.set(name, family);
    }
    return family.cell(values, owner, held, this.#clock.now(), this.#clock.wallTime());
  }

  #histogramFamily(name: HistogramName): Family<Histogram> {
    let family = this.#histograms.get(name);
    if (family === undefined) {
      family = new Family(
        name,
        families[name],
        this.#options.maxSeries,
        () => new Histogram(),
        (cell) => cell.count,
      );
      this.#histograms.set(name, family);
    }
    return family;
  }
}

function numberFamily(name: GaugeName | CounterName, maxSeries: number): Family<Counter | Gauge> {
  const spec: FamilySpec = families[name];
  return new Family<Counter | Gauge>(
    name,
    spec,
    maxSeries,
    spec.type === 'counter' ? () => new Counter() : () => new Gauge(),
    (cell) => cell.value,
  );
}

/** The series of a family with a `service` label end with that service. */
function ownerOf(name: CounterName | GaugeName, values: readonly LabelValue[]): string {
  const labels: readonly string[] = families[name].labels;
  const value = values[labels.indexOf('service')];
  return typeof value === 'string' ? value : '';
}
