import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Log } from './log.ts';
import { httpConfig } from './otlp-http-config.ts';
import type { OtlpSettings } from './settings.ts';

/** Spans as OTLP protobuf over HTTP. */
export function httpSpanExporter(settings: OtlpSettings, log: Log): SpanExporter {
  return new OTLPTraceExporter(httpConfig(settings, log));
}
