import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { type SpanView, viewOf } from './span-view.ts';

/** The last spans of this sidecar, whether or not a collector takes them; a ring of fixed size. */
export class RecentSpans {
  readonly #ring: (ReadableSpan | undefined)[];
  #next = 0;

  /** At 0 nothing is kept. */
  constructor(capacity: number) {
    this.#ring = Array.from({ length: capacity });
  }

  add(span: ReadableSpan): void {
    if (this.#ring.length === 0) return;
    this.#ring[this.#next] = span;
    this.#next = (this.#next + 1) % this.#ring.length;
  }

  /** At most `limit` spans, the one that ended last first. */
  list(limit: number): readonly SpanView[] {
    const views: SpanView[] = [];
    for (let back = 1; back <= this.#ring.length && views.length < limit; back++) {
      const span = this.#ring[(this.#next - back + this.#ring.length) % this.#ring.length];
      if (span === undefined) break;
      views.push(viewOf(span));
    }
    return views;
  }
}
