import type { Metadata } from '@grpc/grpc-js';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Log } from './log.ts';
import { agentFactory, readTlsMaterial } from './otlp-files.ts';
import type { OtlpSettings } from './settings.ts';

/** Exports that may be under way at once; a stuck collector must not collect batches in memory. */
const CONCURRENCY = 4;

/** The span exporter of the configured protocol; its packages are loaded now and not before. */
export async function createSpanExporter(settings: OtlpSettings, log: Log): Promise<SpanExporter> {
  if (settings.protocol === 'grpc') {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-grpc');
    return new OTLPTraceExporter(await grpcConfig(settings, log));
  }
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter(httpConfig(settings, log));
}

/** The same for metrics. Temporality is the producer's business. */
export async function createMetricExporter(
  settings: OtlpSettings,
  log: Log,
): Promise<PushMetricExporter> {
  if (settings.protocol === 'grpc') {
    const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-grpc');
    return new OTLPMetricExporter(await grpcConfig(settings, log));
  }
  const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-proto');
  return new OTLPMetricExporter(httpConfig(settings, log));
}

function httpConfig(settings: OtlpSettings, log: Log) {
  return {
    url: settings.url,
    headers: { ...settings.headers },
    timeoutMillis: settings.timeoutMs,
    compression: settings.compression as never, // the enum of a package we do not import
    concurrencyLimit: CONCURRENCY,
    httpAgentOptions: agentFactory(settings, log),
  };
}

async function grpcConfig(settings: OtlpSettings, log: Log) {
  const { credentials, Metadata } = await import('@grpc/grpc-js');
  const material = await readTlsMaterial(settings, log);
  const secure = settings.url.startsWith('https:');
  return {
    url: settings.url,
    metadata: metadataOf(new Metadata(), settings.headers, log),
    timeoutMillis: settings.timeoutMs,
    compression: settings.compression as never,
    concurrencyLimit: CONCURRENCY,
    credentials: secure
      ? credentials.createSsl(
          material.ca ?? null,
          material.cert === undefined ? null : (material.key ?? null),
          material.key === undefined ? null : (material.cert ?? null),
        )
      : credentials.createInsecure(),
  };
}

function metadataOf(
  metadata: Metadata,
  headers: Readonly<Record<string, string>>,
  log: Log,
): Metadata {
  for (const [name, value] of Object.entries(headers)) {
    try {
      metadata.set(name, value);
    } catch {
      log.warn({ header: name }, 'a header of the OTLP exporter is not valid gRPC metadata');
    }
  }
  return metadata;
}
