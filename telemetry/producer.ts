import { type HrTime, ValueType } from '@opentelemetry/api';
import { emptyResource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type CollectionResult,
  type DataPoint,
  DataPointType,
  type Histogram as HistogramValue,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import type { Counter, Gauge } from './cell.ts';
import type { Clock } from './clock.ts';
import type { FamilySpec } from './families.ts';
import type { Series } from './family.ts';
import type { Histogram } from './histogram.ts';
import type { Collected, Metrics } from './metrics.ts';
import { prometheusName } from './prometheus-name.ts';

export interface ProducerOptions {
  /** Whose names: Prometheus wants the unit in the name, and the SDK's serializer only adds `_total`. */
  readonly names: 'prometheus' | 'otlp';
  /** Counters and histograms as differences since the last collection; `collect` is not told the temporality. */
  readonly delta: boolean;
  readonly release: string;
}

/** What a histogram series said last. */
interface HistogramReading {
  readonly counts: Float64Array;
  readonly sum: number;
  readonly count: number;
}

/** Turns cells into the SDK's data points at collection. One for each reader: deltas belong to it. */
export class CellProducer implements MetricProducer {
  readonly #metrics: Metrics;
  readonly #clock: Clock;
  readonly #options: ProducerOptions;
  readonly #numbers = new WeakMap<object, number>();
  readonly #histograms = new WeakMap<object, HistogramReading>();
  #lastMs: number;

  constructor(metrics: Metrics, clock: Clock, options: ProducerOptions) {
    this.#metrics = metrics;
    this.#clock = clock;
    this.#options = options;
    this.#lastMs = clock.wallTime();
  }

  collect(): Promise<CollectionResult> {
    const nowMs = this.#clock.wallTime();
    const metrics = this.#metrics.collect().map((entry) => this.#family(entry, nowMs));
    this.#lastMs = nowMs;
    const scope = { name: 'outrigger', version: this.#options.release };
    return Promise.resolve({
      // The reader keeps the resource of its own provider.
      resourceMetrics: { resource: emptyResource(), scopeMetrics: [{ scope, metrics }] },
      errors: [],
    });
  }

  #family(entry: Collected, nowMs: number): MetricData {
    const spec = entry.family.spec;
    const descriptor = {
      name: this.#options.names === 'otlp' ? entry.name : prometheusName(entry.name, spec),
      description: spec.description,
      unit: spec.unit,
      valueType: ValueType.DOUBLE,
    };
    if (entry.kind === 'histogram') {
      const dataPoints = [...entry.family.series()].map((series) =>
        this.#histogramPoint(series, nowMs),
      );
      const aggregationTemporality = this.#temporality(spec);
      return {
        dataPointType: DataPointType.HISTOGRAM,
        descriptor,
        aggregationTemporality,
        dataPoints,
      };
    }
    const dataPoints = [...entry.family.series()].map((series) =>
      this.#numberPoint(series, spec, nowMs),
    );
    if (spec.type === 'gauge') {
      const aggregationTemporality = AggregationTemporality.CUMULATIVE;
      return { dataPointType: DataPointType.GAUGE, descriptor, aggregationTemporality, dataPoints };
    }
    return {
      dataPointType: DataPointType.SUM,
      descriptor,
      aggregationTemporality: this.#temporality(spec),
      isMonotonic: spec.type === 'counter',
      dataPoints,
    };
  }

  /** What goes up and down is never a difference. */
  #temporality(spec: FamilySpec): AggregationTemporality {
    return this.#isDelta(spec) ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE;
  }

  #isDelta(spec: FamilySpec): boolean {
    return this.#options.delta && (spec.type === 'counter' || spec.type === 'histogram');
  }

  #numberPoint(
    series: Series<Counter | Gauge>,
    spec: FamilySpec,
    nowMs: number,
  ): DataPoint<number> {
    let { value } = series.cell;
    if (this.#isDelta(spec)) {
      const before = this.#numbers.get(series.cell) ?? 0;
      this.#numbers.set(series.cell, value);
      // Smaller than before: an observed counter began anew.
      if (value >= before) value -= before;
    }
    return this.#point(series, this.#isDelta(spec), nowMs, value);
  }

  #histogramPoint(series: Series<Histogram>, nowMs: number): DataPoint<HistogramValue> {
    const { cell } = series;
    const now: HistogramReading = {
      counts: cell.counts.slice(),
      sum: cell.sum,
      count: cell.count,
    };
    const before = this.#options.delta ? this.#histograms.get(cell) : undefined;
    if (this.#options.delta) this.#histograms.set(cell, now);
    const counts = Array.from(now.counts, (count, index) => count - (before?.counts[index] ?? 0));
    return this.#point(series, this.#options.delta, nowMs, {
      buckets: { boundaries: [...cell.bounds], counts },
      sum: now.sum - (before?.sum ?? 0),
      count: now.count - (before?.count ?? 0),
    });
  }

  #point<T>(series: Series<unknown>, delta: boolean, nowMs: number, value: T): DataPoint<T> {
    const startMs = delta ? Math.max(this.#lastMs, series.startWallMs) : series.startWallMs;
    return {
      startTime: toHrTime(startMs),
      endTime: toHrTime(nowMs),
      attributes: series.attributes,
      value,
    };
  }
}

function toHrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.min(999_999_999, Math.round((ms - seconds * 1000) * 1e6))];
}
