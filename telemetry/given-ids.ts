import type { IdGenerator } from '@opentelemetry/sdk-trace-base';

/** Hands the SDK the ids that have been sent to the next hop already; set both before each span. */
export class GivenIds implements IdGenerator {
  traceId = '';
  spanId = '';

  generateTraceId(): string {
    return this.traceId;
  }

  generateSpanId(): string {
    return this.spanId;
  }
}
