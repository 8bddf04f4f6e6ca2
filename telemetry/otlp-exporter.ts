import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Log } from './log.ts';
import type { OtlpSettings } from './settings.ts';

/**
 * The span exporter of the configured protocol. What a protocol needs is a part of its own, loaded now and not
 * before: gRPC alone brings its own HTTP/2 stack.
 */
export async function createSpanExporter(settings: OtlpSettings, log: Log): Promise<SpanExporter> {
  if (settings.protocol === 'grpc') {
    const { grpcSpanExporter } = await import('./otlp-grpc.ts');
    return grpcSpanExporter(settings, log);
  }
  const { httpSpanExporter } = await import('./otlp-http.ts');
  return httpSpanExporter(settings, log);
}

/** The same for metrics. Temporality is the producer's business. */
export async function createMetricExporter(
  settings: OtlpSettings,
  log: Log,
): Promise<PushMetricExporter> {
  if (settings.protocol === 'grpc') {
    const { grpcMetricExporter } = await import('./otlp-grpc-metrics.ts');
    return grpcMetricExporter(settings, log);
  }
  const { httpMetricExporter } = await import('./otlp-http-metrics.ts');
  return httpMetricExporter(settings, log);
}
