import type { ExportResult } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Sink } from './sink.ts';
import { viewOf } from './span-view.ts';

/** Writes spans as JSON lines; unlike the SDK's console exporter it never blocks. */
export class ConsoleSpanExporter implements SpanExporter {
  readonly #sink: Sink;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    for (const span of spans) this.#sink.write(`${JSON.stringify({ span: viewOf(span) })}\n`);
    done({ code: 0 });
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}
