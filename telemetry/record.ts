/** What one attempt at one endpoint left behind. Times are `Clock.now()` milliseconds. */
export interface AttemptRecord {
  /** Sixteen hex digits, drawn when the attempt was sent; empty when nothing is propagated. */
  readonly spanId: string;
  readonly startMs: number;
  /** Request head handed to its connection, or to the queue for one; 0 where nobody will ask (unsampled). */
  readonly sentMs: number;
  /** 0 while it runs. */
  readonly endMs: number;
  /** Status received, 0 for none. */
  readonly status: number;
  /** Catalogue code when it failed without a usable response, else null. */
  readonly code: string | null;
  /** The endpoint that was chosen. */
  readonly address: string;
  readonly port: number;
  readonly zone: string;
  /** `outrigger.lb.reason`. */
  readonly lbReason: string;
  /** Size of the set it was chosen from. */
  readonly candidates: number;
  /** In flight at that endpoint when it was chosen, without this one. */
  readonly activeRequests: number;
  readonly reused: boolean;
  /** Age of the connection when the attempt went out; 0 for a fresh one. */
  readonly connectionAgeMs: number;
  /** Code or status that caused this attempt, null for the first. */
  readonly retryReason: string | null;
  /** Why no attempt followed although this one failed (`outrigger.retry.denied`), else null. */
  readonly retryDenied: string | null;
  /** Tokens left in the budget after this attempt failed; NaN where it does not apply. */
  readonly budgetRemaining: number;
  /** Left of the deadline when sent; NaN without one. */
  readonly deadlineRemainingMs: number;
  /** HTTP version spoken with the endpoint; absent: `1.1`. */
  readonly version?: string;
}

/**
 * One request, filled on the way and written once at its end: metrics, access log and spans are all
 * made from this object and from nothing else. Fixed shape; strings are references, never built here.
 */
export interface RequestRecord {
  readonly direction: 'inbound' | 'outbound';
  /** Bound when the route was compiled; counts this request. */
  readonly cells: RequestCounter;
  readonly trace: RequestTrace;
  /** Empty, as authority, path and version are, when the head could not be read. */
  readonly method: string;
  readonly scheme: string;
  readonly authority: string;
  /** Path with query, as received. */
  readonly path: string;
  /** `1.0`, `1.1` or `2`. */
  readonly version: string;
  /** Service of the registry; empty when no route matched. */
  readonly service: string;
  /** Name of the route; empty when none matched. */
  readonly route: string;
  /** Template for `http.route`, or null: a matched prefix is not a template. */
  readonly template: string | null;
  /** Balancing policy by name; empty for the local application. */
  readonly policy: string;
  /** First byte of the request, last byte of the response handed over; `Clock.now()` milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
  /** Final response head received or made; 0 for none. */
  readonly headMs: number;
  /** Head of an endpoint's answer handed to the caller; 0 for none, and where nobody will ask (unsampled). */
  readonly answeredMs: number;
  /** Wall-clock anchor of `startMs`, epoch milliseconds. */
  readonly startWallMs: number;
  /** Time spent waiting before the first attempt was sent. */
  readonly queueMs: number;
  /** Status sent to the caller; 499 when it left first, 0 when the connection just ended. */
  readonly status: number;
  /** Catalogue code of the failure, whoever saw it, else null. */
  readonly code: string | null;
  /** Envoy's response flags, comma-separated, empty for none. */
  readonly flags: string;
  /** One sentence for people; empty without a failure. */
  readonly detail: string;
  /** What helps, for people; empty without a failure. */
  readonly fix: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** In order; bounded by the retry policy. */
  readonly attempts: readonly AttemptRecord[];
  readonly localZone: string;
  readonly peerAddress: string;
  readonly peerPort: number;
  /** As received, or the one we gave; empty when there is none. */
  readonly requestId: string;
  readonly userAgent: string | null;
  readonly generation: number;
}

/** Counts a request that has ended; the `RequestCells` of its route are one. */
export interface RequestCounter {
  record(request: RequestRecord): void;
}

/** Written once per request, at its end. */
export interface Recorder {
  record(request: RequestRecord): void;
}

/** The trace of one request, decided at its start and never again. */
export interface RequestTrace {
  readonly sampled: boolean;
  /** Thirty-two hex digits; empty only when propagation is off. */
  readonly traceId: string;
  /** Span of the caller, empty for a root. */
  readonly parentSpanId: string;
  /** The SERVER span (inbound) or INTERNAL span (outbound, if one is needed); empty when unsampled. */
  readonly spanId: string;
  readonly traceState: string | null;
  /** `outrigger.sampling.reason` for a root, sampled or not, else null. */
  readonly reason: string | null;
  /** Context received at a trust edge, which the new trace links to; absent or null elsewhere. */
  readonly link?: TraceLink | null;
}

/** A span of another trace that this one is related to. */
export interface TraceLink {
  readonly traceId: string;
  readonly spanId: string;
}

/** Header fields as propagation sees them; a `HeaderBlock` is one. */
export interface Carrier {
  get(name: string): string | null;
  set(name: string, value: string): void;
  remove(name: string): void;
  forEach(visit: (name: string, value: string) => void): void;
}

/** Trace context in and out, and the sampling decision. No call touches the SDK. */
export interface Propagation {
  /**
   * Reads the caller's context and decides. `probe`: a health probe or a route with `sample: 0`.
   * `trusted` false (a trust edge): a new trace begins and links to the one received; default true.
   */
  begin(headers: Carrier, probe: boolean, trusted?: boolean): RequestTrace;
  /** A fresh span id, from a pool of random bytes. */
  nextSpanId(): string;
  /**
   * Writes the context that the next hop sees. Untouched bytes where the caller was not sampled;
   * `spanId` may be empty for a request that is not sampled.
   */
  inject(trace: RequestTrace, spanId: string, headers: Carrier): void;
}
