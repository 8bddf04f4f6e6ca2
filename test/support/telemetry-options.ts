import type { TelemetryOptions, TraceOptions } from '../../telemetry/options.ts';
import type { Sink } from '../../telemetry/sink.ts';

/** Options as the configuration's defaults have them, but for what a test changes. */
export function telemetryOptions(
  over: {
    trace?: Partial<TraceOptions>;
    accessLog?: Partial<TelemetryOptions['accessLog']>;
    metrics?: Partial<TelemetryOptions['metrics']>;
  } = {},
): TelemetryOptions {
  return {
    service: { name: 'frontend', id: 'frontend-1', zone: 'a', region: 'eu' },
    release: '1.2.3',
    trace: {
      enabled: true,
      sampler: 'parentbased_traceidratio',
      ratio: 0.1,
      propagators: ['tracecontext', 'baggage'],
      serviceName: '',
      resourceAttributes: {},
      keepErrors: true,
      keepSlowMs: 0,
      recent: 100,
      exporter: 'none',
      otlp: {
        endpoint: '',
        protocol: 'http/protobuf',
        headers: {},
        timeoutMs: 10_000,
        compression: 'none',
        caFile: '',
        certFile: '',
        keyFile: '',
      },
      batch: { delayMs: 10, timeoutMs: 30_000, maxQueueSize: 2048, maxBatchSize: 512 },
      ...over.trace,
    },
    metrics: { maxSeries: 2000, idleSeriesMs: 900_000, ...over.metrics },
    accessLog: { filter: 'none', format: 'json', path: '-', rawPath: false, ...over.accessLog },
    log: { level: 'info' },
    explain: (code) => (code === 'no_healthy_upstream' ? { title: 'No healthy endpoint' } : null),
  };
}

/** A sink that keeps what it is given. */
export class MemorySink implements Sink {
  text = '';
  closed = false;

  get lines(): readonly string[] {
    return this.text.split('\n').slice(0, -1);
  }

  write(lines: string): void {
    this.text += lines;
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}
