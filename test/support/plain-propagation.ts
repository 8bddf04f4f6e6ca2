import type { Propagation, RequestTrace } from '../../telemetry/record.ts';

/** Propagation that traces nothing and numbers its spans, for tests that are about something else. */
export function plainPropagation(): Propagation {
  const trace: RequestTrace = {
    sampled: false,
    traceId: 'a'.repeat(32),
    parentSpanId: '',
    spanId: '',
    traceState: null,
    reason: null,
  };
  let spans = 0;
  return {
    begin: () => trace,
    nextSpanId: () => String(++spans).padStart(16, '0'),
    inject: (_, spanId, headers) => headers.set('traceparent', `00-${trace.traceId}-${spanId}-00`),
  };
}
