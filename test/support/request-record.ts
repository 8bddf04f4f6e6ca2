import type {
  AttemptRecord,
  RequestCounter,
  RequestRecord,
  RequestTrace,
} from '../../telemetry/record.ts';

/** Counts nothing. */
export const noCells: RequestCounter = { record: () => {} };

/** A sampled trace with a parent; override what the test is about. */
export function traceOf(over: Partial<RequestTrace> = {}): RequestTrace {
  return {
    sampled: true,
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    parentSpanId: '00f067aa0ba902b7',
    spanId: 'aaaaaaaaaaaaaaaa',
    traceState: null,
    reason: null,
    ...over,
  };
}

/** An attempt at orders-1 that took from 1002 to 1009 ms and was answered 200. */
export function attemptOf(over: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    spanId: 'b000000000000001',
    startMs: 1002,
    sentMs: 1002.25,
    endMs: 1009,
    status: 200,
    code: null,
    address: '10.0.1.4',
    port: 8080,
    zone: 'a',
    lbReason: 'zone_local',
    candidates: 3,
    activeRequests: 2,
    reused: true,
    connectionAgeMs: 1500,
    retryReason: null,
    retryDenied: null,
    budgetRemaining: Number.NaN,
    deadlineRemainingMs: Number.NaN,
    ...over,
  };
}

/** An outbound GET to orders from 1000 to 1010 ms, answered 200 at the first attempt. */
export function requestOf(over: Partial<RequestRecord> = {}): RequestRecord {
  return {
    direction: 'outbound',
    cells: noCells,
    trace: traceOf(),
    method: 'GET',
    scheme: 'http',
    authority: 'orders',
    path: '/orders/17?page=2',
    version: '1.1',
    service: 'orders',
    route: 'orders',
    template: null,
    policy: 'least_request',
    startMs: 1000,
    endMs: 1010,
    headMs: 1008,
    answeredMs: 1008.5,
    startWallMs: 1_700_000_000_000,
    queueMs: 0,
    status: 200,
    code: null,
    flags: '',
    detail: '',
    fix: '',
    bytesIn: 0,
    bytesOut: 512,
    attempts: [attemptOf()],
    localZone: 'a',
    peerAddress: '127.0.0.1',
    peerPort: 50_000,
    requestId: '0190163d-8694-739b-aea5-966c26f8ad91',
    userAgent: 'curl/8.5.0',
    generation: 3,
    ...over,
  };
}

/** An inbound request with a route template, answered 200 by the application. */
export function inboundOf(over: Partial<RequestRecord> = {}): RequestRecord {
  return requestOf({
    direction: 'inbound',
    template: '/orders/{id}',
    policy: '',
    peerAddress: '10.0.1.9',
    attempts: [attemptOf({ address: '127.0.0.1', zone: '', lbReason: 'only_endpoint' })],
    ...over,
  });
}
