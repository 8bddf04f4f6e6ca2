import type { Carrier } from './record.ts';

/** Trace context as one format carried it; filled in place, so that reading allocates only the ids. */
export interface ReceivedContext {
  /** Empty when the caller only gave a decision. */
  traceId: string;
  spanId: string;
  /** Null: the caller leaves the decision to us. */
  sampled: boolean | null;
  traceState: string | null;
}

/** One way of writing trace context into header fields. */
export interface TraceFormat {
  /** True when there is a valid context, which is then in `into`. */
  extract(headers: Carrier, into: ReceivedContext): boolean;
  /** Replaces what is there. `continued`: the trace is the one that `headers` came with. */
  inject(headers: Carrier, context: SentContext): void;
}

export interface SentContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
  /** The trace is the one that the header fields came with. */
  readonly continued: boolean;
  /** False: a received `tracestate` is malformed or belongs to another trace. */
  readonly keepTraceState: boolean;
}
