import type { Clock } from './clock.ts';
import { ConsoleSpanExporter } from './console-span-exporter.ts';
import type { Log } from './log.ts';
import type { TelemetryOptions } from './options.ts';
import { createSpanExporter } from './otlp-exporter.ts';
import type { RandomIds } from './random-ids.ts';
import { RecentSpans } from './recent-spans.ts';
import type { RequestRecord } from './record.ts';
import { createResource } from './resource.ts';
import { followSdkDiagnostics } from './sdk-diagnostics.ts';
import type { TelemetrySettings } from './settings.ts';
import type { Sink } from './sink.ts';
import { SpanWriter, type SpanWriterOptions } from './span.ts';
import { type OnSpansDropped, SpanQueue } from './span-queue.ts';
import type { SpanView } from './span-view.ts';

/** What tracing is built from. */
export interface TracingParts {
  readonly settings: TelemetrySettings;
  readonly options: TelemetryOptions;
  readonly ids: RandomIds;
  readonly writer: SpanWriterOptions;
  readonly onDropped: OnSpansDropped;
  readonly sink: Sink;
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * From records to exported spans: our writer, the SDK's batch processors and exporters. Nothing is
 * registered globally, there is no context manager, and every decision has been taken before.
 */
export class Tracing {
  readonly #writer: SpanWriter;
  readonly #recent: RecentSpans;
  readonly #queues: readonly SpanQueue[];

  private constructor(parts: TracingParts, recent: RecentSpans, queues: readonly SpanQueue[]) {
    const { settings, options } = parts;
    this.#recent = recent;
    this.#queues = queues;
    const origin = {
      resource: createResource(settings, options.service),
      scope: { name: 'outrigger', version: options.release },
    };
    this.#writer = new SpanWriter(origin, parts.ids, parts.writer, (span) => {
      recent.add(span);
      for (const queue of queues) queue.add(span);
    });
  }

  /** Loads the exporters that are configured and starts them. */
  static async start(parts: TracingParts): Promise<Tracing> {
    const { settings, options, onDropped, log } = parts;
    followSdkDiagnostics(settings.diagLevel, log, parts.clock);
    const queues: SpanQueue[] = [];
    for (const name of settings.tracesExporters) {
      const exporter =
        name === 'otlp'
          ? await createSpanExporter(settings.traces, log)
          : new ConsoleSpanExporter(parts.sink);
      queues.push(new SpanQueue(exporter, settings.batch, onDropped, log));
    }
    return new Tracing(parts, new RecentSpans(options.trace.recent), queues);
  }

  /** Makes the spans of a finished request; returns how many. */
  write(request: RequestRecord, reason: string | null): number {
    return this.#writer.write(request, reason);
  }

  recent(limit: number): readonly SpanView[] {
    return this.#recent.list(limit);
  }

  /** Hands over what waits. May take as long as the exporter's time limit: the caller does not wait for ever. */
  async shutdown(): Promise<void> {
    await Promise.allSettled(this.#queues.map((queue) => queue.shutdown()));
  }
}
