import { type Environment, EnvironmentReader } from './environment-reader.ts';
import {
  PROPAGATOR_NAMES,
  type PropagatorName,
  SAMPLER_NAMES,
  type TelemetryOptions,
} from './options.ts';
import { readOtlp } from './otlp-environment.ts';
import type { SamplerSettings, SpanLimitSettings, TelemetrySettings } from './settings.ts';

/**
 * Puts the `OTEL_*` variables over the file. No value stops the start: what cannot be used is named in
 * `warnings`, one sentence each, and ignored.
 */
export function readEnvironment(
  environment: Environment,
  file: TelemetryOptions,
): { readonly settings: TelemetrySettings; readonly warnings: readonly string[] } {
  const reader = new EnvironmentReader(environment);
  const { trace, service } = file;
  const attributes = { ...trace.resourceAttributes, ...reader.pairs('OTEL_RESOURCE_ATTRIBUTES') };
  const fileName = trace.serviceName.replaceAll('{service}', service.name);
  const metricsExporters = reader.choices('OTEL_METRICS_EXPORTER', [
    'otlp',
    'prometheus',
    'console',
    'none',
  ]);
  const queueSize = reader.integer(
    'OTEL_BSP_MAX_QUEUE_SIZE',
    trace.batch.maxQueueSize,
    1,
    1_000_000,
  );
  const settings: TelemetrySettings = {
    disabled: reader.boolean('OTEL_SDK_DISABLED', !trace.enabled),
    diagLevel: reader.choice(
      'OTEL_LOG_LEVEL',
      ['none', 'error', 'warn', 'info', 'debug', 'verbose', 'all'],
      'info',
    ),
    serviceName:
      reader.text('OTEL_SERVICE_NAME') ??
      attributes['service.name'] ??
      (fileName === '' ? service.name : fileName),
    resourceAttributes: attributes,
    propagators: readPropagators(reader, trace.propagators),
    sampler: readSampler(reader, trace.sampler, trace.ratio),
    tracesExporters: without(
      reader.choices('OTEL_TRACES_EXPORTER', ['otlp', 'console', 'none']) ?? [trace.exporter],
    ),
    metricsExporters: without(metricsExporters ?? ['prometheus']),
    traces: readOtlp(reader, 'TRACES', trace.otlp),
    metrics: readOtlp(reader, 'METRICS', trace.otlp),
    batch: {
      delayMs: reader.integer('OTEL_BSP_SCHEDULE_DELAY', trace.batch.delayMs, 0, 3_600_000),
      timeoutMs: reader.integer('OTEL_BSP_EXPORT_TIMEOUT', trace.batch.timeoutMs, 1, 3_600_000),
      maxQueueSize: queueSize,
      maxBatchSize: Math.min(
        queueSize,
        reader.integer('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', trace.batch.maxBatchSize, 1, 1_000_000),
      ),
    },
    spanLimits: readSpanLimits(reader),
    metricIntervalMs: reader.integer('OTEL_METRIC_EXPORT_INTERVAL', 60_000, 1, 86_400_000),
    metricTimeoutMs: reader.integer('OTEL_METRIC_EXPORT_TIMEOUT', 30_000, 1, 86_400_000),
    temporality: reader.choice(
      'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE',
      ['cumulative', 'delta', 'lowmemory'],
      'cumulative',
    ),
    prometheus: {
      host: reader.text('OTEL_EXPORTER_PROMETHEUS_HOST') ?? 'localhost',
      port: reader.integer('OTEL_EXPORTER_PROMETHEUS_PORT', 9464, 0, 65_535),
      asked:
        metricsExporters !== null ||
        reader.firstText('OTEL_EXPORTER_PROMETHEUS_HOST', 'OTEL_EXPORTER_PROMETHEUS_PORT') !== null,
    },
    duplicateHttpNames: (reader.text('OTEL_SEMCONV_STABILITY_OPT_IN') ?? '')
      .split(',')
      .some((item) => item.trim().toLowerCase() === 'http/dup'),
    knownMethods: readKnownMethods(reader),
  };
  warnUnsupported(reader);
  return { settings, warnings: reader.warnings };
}

function readPropagators(
  reader: EnvironmentReader,
  otherwise: readonly PropagatorName[],
): readonly PropagatorName[] {
  const names =
    reader.choices('OTEL_PROPAGATORS', [...PROPAGATOR_NAMES, 'ottrace' as const]) ?? otherwise;
  if (names.includes('ottrace')) {
    reader.warn('OTEL_PROPAGATORS', 'ottrace is not supported and left out');
  }
  return names.filter((name): name is PropagatorName => name !== 'ottrace');
}

function readSampler(
  reader: EnvironmentReader,
  fileName: SamplerSettings['name'],
  fileRatio: number,
): SamplerSettings {
  const NAME = 'OTEL_TRACES_SAMPLER';
  const ARGUMENT = 'OTEL_TRACES_SAMPLER_ARG';
  const name = reader.choice(NAME, SAMPLER_NAMES, fileName);
  if (name.endsWith('jaeger_remote')) {
    const options = reader.pairs(ARGUMENT);
    const rate = options['initialSamplingRate'] ?? '';
    const poll = options['pollingIntervalMs'] ?? '';
    return {
      name,
      ratio: parseRatio(rate) ?? fileRatio,
      remoteEndpoint: options['endpoint'] ?? 'http://localhost:5778',
      remotePollMs: /^[1-9][0-9]{2,8}$/.test(poll) ? Number(poll) : 60_000,
    };
  }
  const argument = reader.text(ARGUMENT);
  const ratio = argument === null ? null : parseRatio(argument);
  if (argument !== null && ratio === null && name.endsWith('ratio')) {
    reader.warn(ARGUMENT, `expected 0–1, got ${JSON.stringify(argument.slice(0, 80))}`);
  }
  return { name, ratio: ratio ?? fileRatio, remoteEndpoint: '', remotePollMs: 0 };
}

function parseRatio(text: string): number | null {
  if (!/^(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]-?[0-9]{1,2})?$/.test(text)) return null;
  const ratio = Number(text);
  return ratio >= 0 && ratio <= 1 ? ratio : null;
}

/** An exporter list with its `none` taken out. */
function without<T extends string>(names: readonly (T | 'none')[]): readonly T[] {
  return names.filter((name): name is T => name !== 'none');
}

function readSpanLimits(reader: EnvironmentReader): SpanLimitSettings {
  const LARGEST = 1_000_000_000;
  const limit = (name: string, otherwise: number, least = 0): number =>
    reader.integer(name, otherwise, least, LARGEST);
  const unlimited = Number.POSITIVE_INFINITY;
  // The SDK takes a length limit of 0 for a mistake.
  const valueLength = limit('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', unlimited, 1);
  const count = limit('OTEL_ATTRIBUTE_COUNT_LIMIT', 128);
  limit('OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT', valueLength, 1);
  limit('OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT', count);
  return {
    valueLength: limit('OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', valueLength, 1),
    attributes: limit('OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', count),
    events: limit('OTEL_SPAN_EVENT_COUNT_LIMIT', 128),
    links: limit('OTEL_SPAN_LINK_COUNT_LIMIT', 128),
    attributesPerEvent: limit(
      'OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT',
      limit('OTEL_SPAN_ATTRIBUTE_PER_EVENT_COUNT_LIMIT', 128),
    ),
    attributesPerLink: limit(
      'OTEL_LINK_ATTRIBUTE_COUNT_LIMIT',
      limit('OTEL_SPAN_ATTRIBUTE_PER_LINK_COUNT_LIMIT', 128),
    ),
  };
}

function readKnownMethods(reader: EnvironmentReader): readonly string[] | null {
  const NAME = 'OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS';
  const value = reader.text(NAME);
  if (value === null) return null;
  const methods = value.split(',').map((method) => method.trim());
  if (methods.every((method) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/.test(method))) return methods;
  reader.warn(NAME, 'expected a list of HTTP methods');
  return null;
}

/** Variables of the specification that have no effect here: said once, so that nobody waits for one. */
function warnUnsupported(reader: EnvironmentReader): void {
  const logs = reader.choices('OTEL_LOGS_EXPORTER', ['otlp', 'console', 'none']);
  if (logs !== null && logs.some((name) => name !== 'none')) {
    reader.warn('OTEL_LOGS_EXPORTER', 'logs are not exported; they go to the process log');
  }
  if (
    reader.choice(
      'OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION',
      ['explicit_bucket_histogram', 'base2_exponential_bucket_histogram'],
      'explicit_bucket_histogram',
    ) === 'base2_exponential_bucket_histogram'
  ) {
    reader.warn(
      'OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION',
      'exponential histograms are not supported; explicit buckets are used',
    );
  }
  reader.choice(
    'OTEL_METRICS_EXEMPLAR_FILTER',
    ['trace_based', 'always_on', 'always_off'],
    'trace_based',
  );
  reader.integer('OTEL_BLRP_SCHEDULE_DELAY', 1000, 0, 3_600_000);
  reader.integer('OTEL_BLRP_EXPORT_TIMEOUT', 30_000, 1, 3_600_000);
  reader.integer('OTEL_BLRP_MAX_QUEUE_SIZE', 2048, 1, 1_000_000);
  reader.integer('OTEL_BLRP_MAX_EXPORT_BATCH_SIZE', 512, 1, 1_000_000);
  for (const name of ['OTEL_ENTITIES', 'OTEL_CONFIG_FILE', 'OTEL_EXPERIMENTAL_CONFIG_FILE']) {
    if (reader.text(name) !== null) reader.warn(name, 'not supported and ignored');
  }
  for (const prefix of ['OTEL_EXPORTER_ZIPKIN_', 'OTEL_EXPORTER_JAEGER_']) {
    for (const name of reader.namesWith(prefix)) {
      reader.warn(
        name,
        'this exporter does not exist any more; set OTEL_EXPORTER_OTLP_ENDPOINT (port 4318, gRPC 4317)',
      );
    }
  }
}
