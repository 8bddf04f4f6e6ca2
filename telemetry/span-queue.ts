import type { ExportResult } from '@opentelemetry/core';
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base';
import type { Log } from './log.ts';
import type { BatchOptions } from './options.ts';

/** Told of spans that never reached a collector. */
export type OnSpansDropped = (count: number, reason: 'queue_full' | 'export_failed') => void;

const SUCCESS = 0;

/**
 * The SDK's batch processor with every loss counted: spans that find the queue full and batches that the
 * exporter could not deliver. Mirrors the processor's own arithmetic, which drops without telling.
 */
export class SpanQueue {
  readonly #processor: BatchSpanProcessor;
  readonly #maxQueueSize: number;
  readonly #onDropped: OnSpansDropped;
  readonly #log: Log;
  #waiting = 0;
  #failing = false;

  constructor(exporter: SpanExporter, options: BatchOptions, onDropped: OnSpansDropped, log: Log) {
    this.#maxQueueSize = options.maxQueueSize;
    this.#onDropped = onDropped;
    this.#log = log;
    const counted: SpanExporter = {
      export: (spans, done) => {
        this.#waiting -= spans.length;
        exporter.export(spans, (result) => {
          this.#note(spans.length, result);
          done(result);
        });
      },
      forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
      shutdown: () => exporter.shutdown(),
    };
    this.#processor = new BatchSpanProcessor(counted, {
      scheduledDelayMillis: options.delayMs,
      exportTimeoutMillis: options.timeoutMs,
      maxQueueSize: options.maxQueueSize,
      maxExportBatchSize: Math.min(options.maxBatchSize, options.maxQueueSize),
    });
  }

  /** Takes a finished span, or drops it when the queue is full. */
  add(span: ReadableSpan): void {
    if (this.#waiting >= this.#maxQueueSize) {
      this.#onDropped(1, 'queue_full');
      return;
    }
    this.#waiting++;
    this.#processor.onEnd(span);
  }

  /** Exports what waits, then closes the exporter. */
  shutdown(): Promise<void> {
    return this.#processor.shutdown();
  }

  #note(count: number, result: ExportResult): void {
    const failed = result.code !== SUCCESS;
    if (failed) this.#onDropped(count, 'export_failed');
    if (failed === this.#failing) return;
    this.#failing = failed;
    if (failed) {
      this.#log.warn({ error: result.error?.message ?? 'unknown' }, 'spans cannot be exported');
    } else this.#log.info({}, 'spans are exported again');
  }
}
