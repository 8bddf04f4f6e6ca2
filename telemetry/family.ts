import type { FamilySpec } from './families.ts';

/** A label value; only status codes and ports are numbers. Null: the label is left out. */
export type LabelValue = string | number | null;

/** One metric with its labels fixed, and the cell it is counted in. */
export interface Series<C> {
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly cell: C;
  /** Service whose end is this series' end; empty for none. */
  readonly owner: string;
  /** Epoch milliseconds. */
  readonly startWallMs: number;
}

interface Entry<C> extends Series<C> {
  /** Somebody holds the cell for good: it is not dropped for being idle. */
  held: boolean;
  seen: number;
  changedMs: number;
}

/** Attributes of the series that takes what is beyond the cap (OpenTelemetry metrics SDK, cardinality limits). */
const OVERFLOW = Object.freeze({ 'otel.metric.overflow': true });
const SEPARATOR = '\u0000';

/**
 * The series of one metric family, at most `maxSeries` and one for the rest, so that totals stay right
 * whatever callers put into labels.
 */
export class Family<C> {
  readonly name: string;
  readonly spec: FamilySpec;
  readonly #maxSeries: number;
  readonly #make: () => C;
  /** A number that grows or changes when the cell is used. */
  readonly #reading: (cell: C) => number;
  readonly #series = new Map<string, Entry<C>>();
  #overflow: Entry<C> | null = null;

  constructor(
    name: string,
    spec: FamilySpec,
    maxSeries: number,
    make: () => C,
    reading: (cell: C) => number,
  ) {
    this.name = name;
    this.spec = spec;
    this.#maxSeries = maxSeries;
    this.#make = make;
    this.#reading = reading;
  }

  get size(): number {
    return this.#series.size + (this.#overflow === null ? 0 : 1);
  }

  /** The cell of these label values, in the order of the family's labels; the overflow cell when the family is full. */
  cell(
    values: readonly LabelValue[],
    owner: string,
    held: boolean,
    nowMs: number,
    wallMs: number,
  ): C {
    const key = values.join(SEPARATOR);
    const known = this.#series.get(key);
    if (known !== undefined) {
      known.held ||= held;
      return known.cell;
    }
    if (this.#series.size >= this.#maxSeries) {
      this.#overflow ??= this.#entry(OVERFLOW, '', true, nowMs, wallMs);
      return this.#overflow.cell;
    }
    const entry = this.#entry(this.#attributes(values), owner, held, nowMs, wallMs);
    this.#series.set(key, entry);
    return entry.cell;
  }

  *series(): Iterable<Series<C>> {
    yield* this.#series.values();
    if (this.#overflow !== null) yield this.#overflow;
  }

  /** Drops what has not changed for `idleMs`; returns how many series went. */
  dropIdle(nowMs: number, idleMs: number): number {
    let dropped = 0;
    for (const [key, entry] of this.#series) {
      const reading = this.#reading(entry.cell);
      if (reading !== entry.seen) {
        entry.seen = reading;
        entry.changedMs = nowMs;
      } else if (!entry.held && nowMs - entry.changedMs >= idleMs) {
        this.#series.delete(key);
        dropped++;
      }
    }
    return dropped;
  }

  /** Drops the series of a service that is gone; returns how many. */
  dropOwner(owner: string): number {
    let dropped = 0;
    for (const [key, entry] of this.#series) {
      if (entry.owner !== owner) continue;
      this.#series.delete(key);
      dropped++;
    }
    return dropped;
  }

  /** Drops every series whose cell is not among these. */
  keepOnly(cells: ReadonlySet<C>): void {
    for (const [key, entry] of this.#series) if (!cells.has(entry.cell)) this.#series.delete(key);
    if (this.#overflow !== null && !cells.has(this.#overflow.cell)) this.#overflow = null;
  }

  #entry(
    attributes: Series<C>['attributes'],
    owner: string,
    held: boolean,
    nowMs: number,
    wallMs: number,
  ): Entry<C> {
    const cell = this.#make();
    return {
      attributes,
      cell,
      owner,
      startWallMs: wallMs,
      held,
      seen: this.#reading(cell),
      changedMs: nowMs,
    };
  }

  #attributes(values: readonly LabelValue[]): Series<C>['attributes'] {
    const attributes: Record<string, string | number> = {};
    for (const [index, label] of this.spec.labels.entries()) {
      const value = values[index];
      if (value !== null && value !== undefined) attributes[label] = value;
    }
    return attributes;
  }
}
