import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { AlwaysOnSampler, BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import type { Clock } from './clock.ts';
import { ConsoleSpanExporter } from './console-span-exporter.ts';
import { GivenIds } from './given-ids.ts';
import type { Log } from './log.ts';
import type { TelemetryOptions } from './options.ts';
import { createSpanExporter } from './otlp-exporter.ts';
import type { RandomIds } from './random-ids.ts';
import { RecentSpans } from './recent-spans.ts';
import type { RequestRecord } from './record.ts';
import { createResource } from './resource.ts';
import { followSdkDiagnostics } from './sdk-diagnostics.ts';
import type { SpanLimitSettings, TelemetrySettings } from './settings.ts';
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

/** The tracing SDK, set up by hand: nothing global, no context manager, every decision already taken. */
export class Tracing {
  readonly #provider: BasicTracerProvider;
  readonly #writer: SpanWriter;
  readonly #recent: RecentSpans;

  private constructor(provider: BasicTracerProvider, writer: SpanWriter, recent: RecentSpans) {
    this.#provider = provider;
    this.#writer = writer;
    this.#recent = recent;
  }

  /** Loads the exporters that are configured and starts them. */
  static async start(parts: TracingParts): Promise<Tracing> {
    const { settings, options, onDropped, log } = parts;
    const recent = new RecentSpans(options.trace.recent);
    const processors: SpanProcessor[] = [new RecentProcessor(recent)];
    for (const name of settings.tracesExporters) {
      const exporter =
        name === 'otlp'
          ? await createSpanExporter(settings.traces, log)
          : new ConsoleSpanExporter(parts.sink);
      processors.push(new SpanQueue(exporter, settings.batch, onDropped, log));
    }
    const given = new GivenIds();
    const provider = new BasicTracerProvider({
      resource: createResource(settings, options.service),
      sampler: new AlwaysOnSampler(),
      idGenerator: given,
      spanLimits: limitsOf(settings.spanLimits),
      spanProcessors: processors,
    });
    // Only now: while it is built the provider complains about samplers that are ours to know.
    followSdkDiagnostics(settings.diagLevel, log, parts.clock);
    const tracer = provider.getTracer('outrigger', options.release);
    return new Tracing(provider, new SpanWriter(tracer, given, parts.ids, parts.writer), recent);
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
    await this.#provider.shutdown();
  }
}

class RecentProcessor implements SpanProcessor {
  readonly #recent: RecentSpans;

  constructor(recent: RecentSpans) {
    this.#recent = recent;
  }

  onStart(): void {
    // Spans are kept when they have ended.
  }

  onEnd(span: ReadableSpan): void {
    this.#recent.add(span);
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}

function limitsOf(limits: SpanLimitSettings) {
  return {
    attributeValueLengthLimit: limits.valueLength,
    attributeCountLimit: limits.attributes,
    eventCountLimit: limits.events,
    linkCountLimit: limits.links,
    attributePerEventCountLimit: limits.attributesPerEvent,
    attributePerLinkCountLimit: limits.attributesPerLink,
  };
}
