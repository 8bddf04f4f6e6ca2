import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Log } from './log.ts';
import { grpcConfig } from './otlp-grpc-config.ts';
import type { OtlpSettings } from './settings.ts';

/** Spans as OTLP over gRPC. */
export async function grpcSpanExporter(settings: OtlpSettings, log: Log): Promise<SpanExporter> {
  return new OTLPTraceExporter(await grpcConfig(settings, log));
}
