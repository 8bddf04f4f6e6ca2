import type { AttemptRecord, RequestRecord, RequestTrace } from '../../telemetry/record.ts';
import type { Failure } from '../failure.ts';
import { fixOf } from '../message/problem.ts';
import type { Scope } from './scope.ts';

/** No trace: a request that could not be read has no context one could believe. */
const UNTRACED: RequestTrace = {
  sampled: false,
  traceId: '',
  parentSpanId: '',
  spanId: '',
  traceState: null,
  reason: null,
};

/**
 * Records a request whose head a codec could not read, so that it shows in metrics and the access log like
 * any other, and returns the id that it got.
 */
export function recordRefusal(scope: Scope, failure: Failure): string {
  const snapshot = scope.live.current;
  const entry = snapshot.entries.get(scope.entry) ?? snapshot.closed;
  const now = scope.clock.now();
  const startWallMs = scope.clock.wallTime();
  const requestId = scope.requestIds.next(startWallMs);
  const record: RequestRecord = {
    direction: entry.direction,
    cells: entry.unrouted,
    trace: UNTRACED,
    method: '',
    scheme: 'http',
    authority: '',
    path: '',
    version: '',
    service: '',
    route: '',
    template: null,
    policy: '',
    startMs: now,
    endMs: now,
    headMs: now,
    answeredMs: 0,
    startWallMs,
    queueMs: 0,
    status: failure.status,
    code: failure.code,
    flags: failure.flag,
    detail: failure.detail,
    fix: fixOf(failure, ''),
    bytesIn: 0,
    bytesOut: 0,
    attempts: NO_ATTEMPTS,
    localZone: snapshot.zone,
    peerAddress: scope.peer.address,
    peerPort: scope.peer.port,
    requestId,
    userAgent: null,
    generation: snapshot.generation,
  };
  entry.unrouted.begin(record.method);
  scope.recorder.record(record);
  return requestId;
}

const NO_ATTEMPTS: readonly AttemptRecord[] = [];
