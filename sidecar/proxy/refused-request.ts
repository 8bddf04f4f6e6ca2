import type { AttemptRecord, RequestRecord, RequestTrace } from '../../telemetry/record.ts';
import type { Failure } from '../failure.ts';
import type { RequestHead } from '../message/head.ts';
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
 * Records a request that a codec refused before it reached the pipeline, so that it shows in metrics and
 * the access log like any other. `head` is null where not even that could be read.
 */
export function recordRefusal(scope: Scope, failure: Failure, head: RequestHead | null): void {
  const snapshot = scope.live.current;
  const entry = snapshot.entries.get(scope.entry) ?? snapshot.closed;
  const now = scope.clock.now();
  const record: RequestRecord = {
    direction: entry.direction,
    cells: entry.unrouted,
    trace: UNTRACED,
    method: head?.method ?? '',
    scheme: head?.scheme ?? 'http',
    authority: head?.authority ?? '',
    path: head?.path ?? '',
    version: head?.version ?? '1.1',
    service: '',
    route: '',
    template: null,
    policy: '',
    startMs: now,
    endMs: now,
    headMs: now,
    startWallMs: scope.clock.wallTime(),
    queueMs: 0,
    status: failure.status,
    code: failure.code,
    flags: failure.flag,
    detail: failure.detail,
    bytesIn: 0,
    bytesOut: 0,
    attempts: NO_ATTEMPTS,
    localZone: snapshot.zone,
    peerAddress: scope.peer.address,
    peerPort: scope.peer.port,
    requestId: '',
    userAgent: head?.headers.get('user-agent') ?? null,
    generation: snapshot.generation,
  };
  entry.unrouted.begin(record.method);
  scope.recorder.record(record);
}

const NO_ATTEMPTS: readonly AttemptRecord[] = [];
