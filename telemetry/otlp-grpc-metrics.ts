import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-grpc';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { Log } from './log.ts';
import { grpcConfig } from './otlp-grpc-config.ts';
import type { OtlpSettings } from './settings.ts';

/** Metrics as OTLP over gRPC. */
export async function grpcMetricExporter(
  settings: OtlpSettings,
  log: Log,
): Promise<PushMetricExporter> {
  return new OTLPMetricExporter(await grpcConfig(settings, log));
}
