import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { Log } from './log.ts';
import { httpConfig } from './otlp-http-config.ts';
import type { OtlpSettings } from './settings.ts';

/** Metrics as OTLP protobuf over HTTP. */
export function httpMetricExporter(settings: OtlpSettings, log: Log): PushMetricExporter {
  return new OTLPMetricExporter(httpConfig(settings, log));
}
