import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { TelemetryOptions } from './options.ts';
import { createMetricExporter } from './otlp-exporter.ts';
import { CellProducer } from './producer.ts';
import { createResource } from './resource.ts';
import type { TelemetrySettings } from './settings.ts';

/** The metrics of this process as Prometheus text, through the SDK's own reader and serializer. */
export class PrometheusText {
  readonly #reader: PrometheusExporter;
  readonly #serializer = new PrometheusSerializer();
  readonly #provider: MeterProvider;

  constructor(
    metrics: Metrics,
    settings: TelemetrySettings,
    options: TelemetryOptions,
    clock: Clock,
  ) {
    const { release, service } = options;
    const producer = new CellProducer(metrics, clock, {
      names: 'prometheus',
      delta: false,
      release,
    });
    this.#reader = new PrometheusExporter({
      preventServerStart: true,
      metricProducers: [producer],
    });
    // A reader collects only once it belongs to a provider, which also gives the resource.
    const resource = createResource(settings, service);
    this.#provider = new MeterProvider({ resource, readers: [this.#reader] });
  }

  async read(): Promise<string> {
    const { resourceMetrics } = await this.#reader.collect();
    return this.#serializer.serialize(resourceMetrics);
  }

  close(): Promise<void> {
    return this.#provider.shutdown();
  }
}

/** Pushes the metrics over OTLP at the configured interval; a failed push is counted. */
export async function pushMetrics(
  metrics: Metrics,
  settings: TelemetrySettings,
  options: TelemetryOptions,
  clock: Clock,
  log: Log,
): Promise<MeterProvider> {
  const exporter = await createMetricExporter(settings.metrics, log);
  const dropped = metrics.counter('outrigger_telemetry_dropped_total', 'metrics', 'export_failed');
  let failing = false;
  const producer = new CellProducer(metrics, clock, {
    names: 'otlp',
    delta: settings.temporality !== 'cumulative',
    release: options.release,
  });
  const reader = new PeriodicExportingMetricReader({
    exporter: {
      export: (resourceMetrics, done) =>
        exporter.export(resourceMetrics, (result) => {
          const failed = result.code !== 0;
          if (failed) dropped.add();
          if (failed && !failing) {
            log.warn({ error: result.error?.message ?? 'unknown' }, 'metrics cannot be exported');
          }
          failing = failed;
          done(result);
        }),
      forceFlush: () => exporter.forceFlush(),
      shutdown: () => exporter.shutdown(),
    },
    exportIntervalMillis: settings.metricIntervalMs,
    exportTimeoutMillis: Math.min(settings.metricTimeoutMs, settings.metricIntervalMs),
    metricProducers: [producer],
  });
  return new MeterProvider({
    resource: createResource(settings, options.service),
    readers: [reader],
  });
}
