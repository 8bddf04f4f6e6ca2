import type { Propagation, RequestTrace } from '../../telemetry/record.ts';
import type { Peer, RequestHead, ResponseHead } from '../message/head.ts';

/** Fields about load and attempts that only sidecars exchange: what an application sends of them is not believed. */
const FROM_APPLICATION = ['outrigger-load', 'outrigger-load-max', 'outrigger-timeout-ms'] as const;
/** Identity comes from TLS alone, so a field that claims one does not reach the application. */
const FROM_OUTSIDE = ['x-forwarded-client-cert', 'outrigger-load-max'] as const;
const FROM_CALLEE = ['outrigger-load', 'outrigger-error'] as const;

/** Takes out of a received head what its sender has no say in; done once, before the first attempt. */
export function stripRequest(head: RequestHead, direction: 'inbound' | 'outbound'): void {
  const names = direction === 'inbound' ? FROM_OUTSIDE : FROM_APPLICATION;
  for (const name of names) head.headers.remove(name);
}

/** Takes out what a caller says of its deadline and attempts where its word does not count. */
export function stripClaims(head: RequestHead): void {
  head.headers.remove('outrigger-timeout-ms');
  head.headers.remove('outrigger-attempt');
}

/** Notes who called; for requests that enter through the inbound listener. */
export function addForwarded(head: RequestHead, peer: Peer): void {
  head.headers.append('x-forwarded-for', peer.address);
  if (head.headers.get('x-forwarded-proto') === null) {
    head.headers.set('x-forwarded-proto', head.scheme);
  }
}

/**
 * The head of one attempt: the received one, whose fields stay as they are, plus trace context, request
 * id, attempt number (from 1) and the deadline that is left.
 */
export function attemptHead(
  received: RequestHead,
  trace: RequestTrace,
  attempt: { readonly spanId: string; readonly deadlineRemainingMs: number },
  number: number,
  requestId: string | null,
  propagation: Propagation,
): RequestHead {
  const headers = received.headers.copy();
  propagation.inject(trace, attempt.spanId, headers);
  if (requestId !== null) headers.append('x-request-id', requestId);
  if (number > 1) headers.set('outrigger-attempt', String(number));
  const leftMs = attempt.deadlineRemainingMs;
  if (!Number.isNaN(leftMs)) {
    headers.set('outrigger-timeout-ms', String(Math.max(1, Math.floor(leftMs))));
  }
  return {
    method: received.method,
    scheme: received.scheme,
    authority: received.authority,
    path: received.path,
    version: received.version,
    protocol: received.protocol,
    headers,
    contentLength: received.contentLength,
    ended: received.ended,
  };
}

/**
 * Prepares a final response head for the caller: an application cannot speak for its sidecar, and load
 * reports end at the sidecar they were meant for. The request id is echoed.
 */
export function rewriteResponse(
  head: ResponseHead,
  direction: 'inbound' | 'outbound',
  requestId: string,
): void {
  if (direction === 'inbound') for (const name of FROM_CALLEE) head.headers.remove(name);
  else head.headers.remove('outrigger-load');
  if (requestId !== '' && head.headers.get('x-request-id') === null) {
    head.headers.append('x-request-id', requestId);
  }
}

/** A response that goes on for as long as both sides like: only silence ends it. */
export function isStream(head: ResponseHead): boolean {
  const type = head.headers.get('content-type');
  if (type === null) return false;
  return type.startsWith('text/event-stream') || type.startsWith('application/grpc');
}
