import * as z from 'zod';
import { count, flag, ms, optionalText, ratio, section, text } from './fields.ts';

/** Empty for the default. Credentials do not belong into an address, which is shown in logs. */
export const collectorAddress = z
  .string()
  .max(2048)
  .regex(/^(https?:\/\/[!-?A-~]+|[A-Za-z0-9._-]+:[0-9]{1,5}|\[[0-9A-Fa-f:.]+\]:[0-9]{1,5})?$/)
  .refine((value) => value === '' || URL.canParse(withScheme(value)))
  .meta({
    title: 'an `http://` or `https://` address without credentials, or `host:port` for gRPC',
  });

function withScheme(address: string): string {
  return address.includes('://') ? address : `https://${address}`;
}

/** Traces: what is sampled, where spans go. */
export const traceSchema = section(
  {
    enabled: flag(
      true,
      'At false no span is made; received trace context still passes. Environment: `OTEL_SDK_DISABLED`.',
    ),
    sampler: z
      .enum([
        'always_on',
        'always_off',
        'traceidratio',
        'parentbased_always_on',
        'parentbased_always_off',
        'parentbased_traceidratio',
      ])
      .default('parentbased_traceidratio')
      .describe(
        'Which requests are traced; `parentbased_*` follow the caller. Environment: `OTEL_TRACES_SAMPLER`.',
      ),
    ratio: ratio(
      0.1,
      'Share of traces for the ratio samplers. At 0 none is started, at 1 all are. Environment: `OTEL_TRACES_SAMPLER_ARG`.',
    ),
    propagators: z
      .array(z.enum(['tracecontext', 'baggage', 'b3', 'b3multi', 'none']))
      .max(8)
      .default(['tracecontext', 'baggage'])
      .describe('Formats of trace context, in and out. Environment: `OTEL_PROPAGATORS`.'),
    trustIncoming: flag(
      true,
      'At false the trace context of inbound callers is not continued: a new trace begins, linked to theirs.',
    ),
    serviceName: optionalText(
      '`service.name` of the spans. Empty: `service.name` of this file; `{service}` stands for it. Environment: `OTEL_SERVICE_NAME`.',
    ),
    resourceAttributes: z
      .record(text.min(1).max(255), text)
      .default({})
      .describe('Further resource attributes of spans. Environment: `OTEL_RESOURCE_ATTRIBUTES`.'),
    keepErrors: flag(
      true,
      'Whether the root span of a failed request that was not sampled is exported anyway, at most 10 a second.',
    ),
    keepSlowMs: ms(
      0,
      'Duration from which a root span that was not sampled is exported anyway. 0: off.',
    ),
    recent: count(2000, 'Spans kept in memory for `outrigger traces`. 0: none.', 0, 100_000),
    exporter: z
      .enum(['otlp', 'console', 'none'])
      .default('otlp')
      .describe('Where spans go. `none`: only to memory. Environment: `OTEL_TRACES_EXPORTER`.'),
    otlp: section(
      {
        endpoint: collectorAddress
          .default('')
          .describe(
            'Collector. Empty: `http://localhost:4318/v1/traces`, for gRPC `http://localhost:4317`. Environment: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` (as it is), `OTEL_EXPORTER_OTLP_ENDPOINT` (gets `/v1/traces`).',
          ),
        protocol: z
          .enum(['http/protobuf', 'grpc'])
          .default('http/protobuf')
          .describe('Protocol. Environment: `OTEL_EXPORTER_OTLP_PROTOCOL`.'),
        headers: z
          .record(text.min(1).max(255), text)
          .default({})
          .describe(
            'Header fields sent along. Never shown. Environment: `OTEL_EXPORTER_OTLP_HEADERS`.',
          )
          .meta({ writeOnly: true }),
        timeoutMs: ms(
          10_000,
          'Time of one export. Environment: `OTEL_EXPORTER_OTLP_TIMEOUT`.',
          1,
          600_000,
        ),
        compression: z
          .enum(['none', 'gzip'])
          .default('none')
          .describe('Compression. Environment: `OTEL_EXPORTER_OTLP_COMPRESSION`.'),
        caFile: optionalText(
          'PEM file of authorities. Environment: `OTEL_EXPORTER_OTLP_CERTIFICATE`.',
        ),
        certFile: optionalText(
          'PEM file of the client certificate. Environment: `OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE`.',
        ),
        keyFile: optionalText('PEM file of its key. Environment: `OTEL_EXPORTER_OTLP_CLIENT_KEY`.'),
      },
      'OTLP exporter.',
    ),
    batch: section(
      {
        delayMs: ms(
          5000,
          'Longest wait before a batch leaves. Environment: `OTEL_BSP_SCHEDULE_DELAY`.',
          10,
          600_000,
        ),
        timeoutMs: ms(
          30_000,
          'Time of exporting a batch. Environment: `OTEL_BSP_EXPORT_TIMEOUT`.',
          1,
          600_000,
        ),
        maxQueueSize: count(
          2048,
          'Spans that wait for export; above it they are dropped and counted. Environment: `OTEL_BSP_MAX_QUEUE_SIZE`.',
          1,
          1_000_000,
        ),
        maxBatchSize: count(
          512,
          'Most spans of a batch. Environment: `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`.',
          1,
          100_000,
        ),
      },
      'Batches of spans.',
    ),
  },
  'Traces. Standard `OTEL_*` variables win over this section.',
);

/** Bounds of the metrics shown at the admin API. */
export const metricsSchema = section(
  {
    maxSeries: count(
      2000,
      'Most series of one metric family; what is beyond it is counted in one overflow series.',
      10,
      100_000,
    ),
    idleSeriesMs: ms(900_000, 'Time without a change after which a series is dropped.', 60_000),
  },
  'Metrics, served as Prometheus text at `/metrics` of the admin API.',
);

/** One line for each request. */
export const accessLogSchema = section(
  {
    filter: z
      .enum(['all', 'errors', 'sampled', 'none'])
      .default('all')
      .describe(
        'Which requests get a line: `all`, `errors`, `sampled` (those that are traced), `none`.',
      ),
    format: z.enum(['json', 'envoy', 'clf']).default('json').describe('Form of the line.'),
    path: text.min(1).default('-').describe('File to append to. `-`: standard output.'),
    rawPath: flag(
      false,
      'Whether the line shows the path as received, query included, instead of the template. It may hold secrets.',
    ),
  },
  'The access log.',
);

/** The process log. */
export const logSchema = section(
  {
    level: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .default('info')
      .describe('Least severe message that is written.'),
  },
  'The process log, JSON lines on standard error.',
);
