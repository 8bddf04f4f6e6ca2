import type { Propagation, RequestTrace } from '../../telemetry/record.ts';

/** Propagation that numbers its spans, and samples all requests or none, for tests about something else. */
export function plainPropagation(sampled = false): Propagation {
  const trace: RequestTrace = {
    sampled,
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
