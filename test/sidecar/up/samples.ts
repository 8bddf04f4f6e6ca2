import type { ClustersView, ClusterView } from '../../../sidecar/admin/views.ts';
import type { EndpointSummary } from '../../../sidecar/cluster/summary.ts';
import { type MeshPlan, planMesh } from '../../../sidecar/up/plan.ts';
import type { SpanView } from '../../../telemetry/span-view.ts';

/** Built values for the tests of the local mesh, each with defaults that no test depends on. */

/** A front `web` with two instances that calls `db` with one; ports count up from 1. */
export const smallPlan: MeshPlan = planMesh(
  [
    { name: 'web', calls: ['db'], zones: ['a', 'b'], workMs: 1 },
    { name: 'db', calls: [], zones: ['a'], workMs: 1 },
  ],
  { name: 'edge', calls: ['web'], zone: 'a' },
  Array.from({ length: 20 }, (_, i) => i + 1),
  '/mesh',
);

export function clusterView(fields: Partial<ClusterView>): ClusterView {
  return {
    name: 'web',
    direction: 'outbound',
    policy: 'least_request',
    zoneRule: 'prefer',
    members: 1,
    usable: 1,
    panic: false,
    inFlight: 0,
    requests: 0,
    failures: 0,
    retries: 0,
    retriesDenied: 0,
    retryTokens: 10,
    ejections: 0,
    p50Ms: null,
    p99Ms: null,
    zones: [],
    endpoints: [],
    resolver: null,
    ...fields,
  };
}

export function endpointView(fields: Partial<EndpointSummary>): EndpointSummary {
  return {
    id: 'n/web-1',
    address: '127.0.0.1',
    port: 1,
    zone: 'a',
    weight: 1,
    state: 'usable',
    active: 0,
    attempts: 0,
    failures: 0,
    ejections: 0,
    ejectedForMs: 0,
    connections: {} as EndpointSummary['connections'],
    ...fields,
  };
}

export function clustersView(
  service: string,
  clusters: readonly ClusterView[],
  fields: Partial<ClustersView> = {},
): ClustersView {
  return {
    service,
    zone: 'a',
    state: 'ready',
    generation: 1,
    uptimeMs: 60_000,
    listeners: [],
    clusters,
    ...fields,
  };
}

export function span(fields: Partial<SpanView> & Pick<SpanView, 'spanId'>): SpanView {
  return {
    traceId: 't1',
    parentSpanId: null,
    name: 'GET',
    kind: 'CLIENT',
    service: 'edge',
    startMs: 1000,
    durationMs: 10,
    error: false,
    attributes: {},
    ...fields,
  };
}

/** A whole trace over edge → web → db. */
export function joinedTrace(traceId = 't1', startMs = 1000): SpanView[] {
  const at = (offset: number) => ({ traceId, startMs: startMs + offset });
  return [
    span({ spanId: 'e', ...at(0) }),
    span({ spanId: 'w', parentSpanId: 'e', kind: 'SERVER', service: 'web', ...at(1) }),
    span({ spanId: 'c', parentSpanId: 'w', kind: 'CLIENT', service: 'web', ...at(2) }),
    span({ spanId: 'd', parentSpanId: 'c', kind: 'SERVER', service: 'db', ...at(3) }),
  ];
}
