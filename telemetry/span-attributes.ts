import { isLoopback, splitAuthority } from './authority.ts';
import { type MethodNames, OTHER_METHOD } from './method-names.ts';
import { attemptOutcome } from './outcome.ts';
import type { AttemptRecord, RequestRecord } from './record.ts';
import { redactAuthority, redactPath, redactQuery } from './redact.ts';

/** Attributes of one span, named by the semantic conventions or our own list (`telemetry.md` §1.4). */
export type SpanAttributes = Record<string, string | number | boolean>;

/** The method as spans name it, with the original beside it when that is not known. */
export function methodAttributes(request: RequestRecord, methods: MethodNames): SpanAttributes {
  const name = methods.nameAt(methods.indexOf(request.method));
  const attributes: SpanAttributes = { 'http.request.method': name };
  if (name === OTHER_METHOD) attributes['http.request.method_original'] = request.method;
  return attributes;
}

/** Attributes of the SERVER span. */
export function serverAttributes(
  request: RequestRecord,
  methods: MethodNames,
  error: string | null,
): SpanAttributes {
  const attributes = methodAttributes(request, methods);
  const mark = request.path.indexOf('?');
  attributes['url.scheme'] = request.scheme;
  attributes['url.path'] = mark === -1 ? request.path : request.path.slice(0, mark);
  if (mark !== -1) attributes['url.query'] = redactQuery(request.path.slice(mark + 1));
  if (request.template !== null) attributes['http.route'] = request.template;
  const { host, port } = splitAuthority(request.authority, request.scheme);
  if (host !== '') {
    attributes['server.address'] = host;
    attributes['server.port'] = port;
  }
  attributes['network.peer.address'] = request.peerAddress;
  attributes['network.peer.port'] = request.peerPort;
  attributes['network.protocol.version'] = request.version;
  attributes['client.address'] = request.peerAddress;
  if (request.userAgent !== null) attributes['user_agent.original'] = request.userAgent;
  if (answered(request)) attributes['http.response.status_code'] = request.status;
  if (error !== null) attributes['error.type'] = error;
  addRequestAttributes(request, attributes);
  return attributes;
}

/** Attributes of one attempt's CLIENT span; `attempt` null: the request was never sent. */
export function clientAttributes(
  request: RequestRecord,
  attempt: AttemptRecord | null,
  index: number,
  methods: MethodNames,
  error: string | null,
): SpanAttributes {
  const attributes = methodAttributes(request, methods);
  addServer(request, attributes);
  if (request.service !== '') attributes['service.peer.name'] = request.service;
  if (error !== null) attributes['error.type'] = error;
  if (attempt === null) return attributes;
  attributes['network.peer.address'] = attempt.address;
  attributes['network.peer.port'] = attempt.port;
  attributes['network.protocol.version'] = attempt.version ?? '1.1';
  if (attempt.status !== 0) attributes['http.response.status_code'] = attempt.status;
  if (index > 0) attributes['http.request.resend_count'] = index;
  addBalancing(request, attempt, attributes);
  attributes['outrigger.attempt.number'] = index + 1;
  attributes['outrigger.attempt.outcome'] = attemptOutcome(attempt);
  if (attempt.retryReason !== null) attributes['outrigger.retry.reason'] = attempt.retryReason;
  if (attempt.retryDenied !== null) attributes['outrigger.retry.denied'] = attempt.retryDenied;
  if (Number.isFinite(attempt.budgetRemaining)) {
    attributes['outrigger.retry.budget_remaining'] = attempt.budgetRemaining;
  }
  if (Number.isFinite(attempt.deadlineRemainingMs)) {
    attributes['outrigger.deadline.remaining_ms'] = Math.round(attempt.deadlineRemainingMs);
  }
  attributes['outrigger.connection.reused'] = attempt.reused;
  attributes['outrigger.connection.age_ms'] = Math.round(attempt.connectionAgeMs);
  return attributes;
}

/** What Outrigger says of a whole request, on the one span that stands for it. */
export function addRequestAttributes(request: RequestRecord, attributes: SpanAttributes): void {
  if (request.code !== null) attributes['outrigger.error.code'] = request.code;
  if (request.flags !== '') attributes['outrigger.flags'] = request.flags;
  if (request.queueMs > 0) attributes['outrigger.queue.wait_ms'] = request.queueMs;
  const ownMs = proxyMs(request);
  if (ownMs !== null) attributes['outrigger.proxy.duration_ms'] = ownMs;
  if (request.requestId !== '') attributes['outrigger.request_id'] = request.requestId;
}

/**
 * Milliseconds between a head that came in and the same head on its way out, in both directions and for
 * every attempt: our own share. Waiting is none of it, whether for the registry, for a connection or between
 * attempts. Null where it was not measured.
 */
export function proxyMs({ attempts, headMs, answeredMs }: RequestRecord): number | null {
  if (attempts.length === 0) return null;
  let ownMs = answeredMs === 0 ? 0 : answeredMs - headMs;
  for (const { startMs, sentMs } of attempts) {
    if (sentMs === 0) return null;
    ownMs += sentMs - startMs;
  }
  return Math.round(ownMs * 1000) / 1000;
}

/** A status really was sent: not when the caller left first. */
function answered(request: RequestRecord): boolean {
  return request.status !== 0 && !(request.status === 499 && request.code !== null);
}

/** The logical callee: what the application asked for, or the service where it used a local port of ours. */
function addServer(request: RequestRecord, attributes: SpanAttributes): void {
  const { host, port } = splitAuthority(request.authority, request.scheme);
  const local = request.service !== '' && (host === '' || isLoopback(host));
  attributes['server.address'] = local ? request.service : host;
  attributes['server.port'] = port;
  const authority = local ? request.service : redactAuthority(request.authority);
  attributes['url.full'] = request.path.startsWith('/')
    ? `${request.scheme}://${authority}${redactPath(request.path)}`
    : `${request.scheme}://${authority}`;
}

function addBalancing(
  request: RequestRecord,
  attempt: AttemptRecord,
  attributes: SpanAttributes,
): void {
  if (request.policy !== '') attributes['outrigger.lb.policy'] = request.policy;
  attributes['outrigger.lb.reason'] = attempt.lbReason;
  attributes['outrigger.lb.candidates'] = attempt.candidates;
  attributes['outrigger.lb.active_requests'] = attempt.activeRequests;
  if (request.localZone !== '') attributes['outrigger.zone.local'] = request.localZone;
  if (attempt.zone !== '') attributes['outrigger.zone.selected'] = attempt.zone;
}
