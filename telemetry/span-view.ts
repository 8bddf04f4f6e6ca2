import { type HrTime, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

/** One kept span, as people read it. */
export interface SpanView {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly kind: 'SERVER' | 'CLIENT' | 'INTERNAL';
  readonly service: string;
  /** Epoch milliseconds with a fraction. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly error: boolean;
  readonly attributes: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

/** A finished span of the SDK as a view. */
export function viewOf(span: ReadableSpan): SpanView {
  const context = span.spanContext();
  return {
    traceId: context.traceId,
    spanId: context.spanId,
    parentSpanId: span.parentSpanContext?.spanId ?? null,
    name: span.name,
    kind:
      span.kind === SpanKind.SERVER
        ? 'SERVER'
        : span.kind === SpanKind.CLIENT
          ? 'CLIENT'
          : 'INTERNAL',
    service: String(span.resource.attributes['service.name'] ?? ''),
    startMs: toMs(span.startTime),
    durationMs: toMs(span.duration),
    error: span.status.code === SpanStatusCode.ERROR,
    attributes: span.attributes as SpanView['attributes'],
  };
}

function toMs(time: HrTime): number {
  return time[0] * 1000 + time[1] / 1e6;
}
