import type { AdminSource } from '../../../sidecar/admin/source.ts';
import type { ClustersView, ClusterView } from '../../../sidecar/admin/views.ts';
import type { SpanView } from '../../../telemetry/span-view.ts';

/** A sidecar as the admin API sees it, with everything settable and every command noted. */
export class FakeSource implements AdminSource {
  ready_ = true;
  spans: SpanView[] = [];
  clusters_: ClusterView[] = [clusterView('orders')];
  rejected: string[] = [];
  readonly calls: string[] = [];

  ready() {
    const waitingFor = this.ready_ ? [] : ['no answer from Consul about orders yet'];
    return {
      state: this.ready_ ? ('ready' as const) : ('starting' as const),
      ready: this.ready_,
      waitingFor,
    };
  }

  clusters(): ClustersView {
    return {
      service: 'shop',
      zone: 'eu-a',
      state: 'ready',
      generation: 3,
      uptimeMs: 1234,
      listeners: [
        {
          name: 'inbound',
          address: '0.0.0.0',
          port: 21_000,
          connections: 1,
          accepted: 2,
          refused: 0,
          readMode: 'shared',
        },
      ],
      clusters: this.clusters_,
    };
  }

  config() {
    return {
      generation: 3,
      file: '/etc/outrigger.yaml',
      loadedAt: '2026-11-22T10:00:00.000Z',
      rejected: this.rejected,
      config: { service: { name: 'shop' }, upstreams: [{ port: 9101 }] },
      sources: {
        'service.name': '/etc/outrigger.yaml:1',
        'upstreams[0].port': 'env:OUTRIGGER_UPSTREAMS',
        holdStartMs: 'default',
      },
    };
  }

  traces(limit: number, traceId: string | null) {
    this.calls.push(`traces ${limit} ${traceId}`);
    const spans = this.spans.filter((span) => traceId === null || span.traceId === traceId);
    return { spans: spans.slice(0, limit) };
  }

  metricsText(): Promise<string> {
    return Promise.resolve(
      '# TYPE outrigger_config_generation gauge\noutrigger_config_generation 3\n',
    );
  }

  drain(): void {
    this.calls.push('drain');
  }

  quit(): void {
    this.calls.push('quit');
  }
}

export function clusterView(name: string): ClusterView {
  return {
    name,
    direction: 'outbound',
    policy: 'least_request',
    zoneRule: 'prefer',
    members: 1,
    usable: 0,
    panic: true,
    inFlight: 0,
    requests: 10,
    failures: 1,
    retries: 1,
    retriesDenied: 0,
    retryTokens: 9,
    ejections: 1,
    p50Ms: null,
    p99Ms: null,
    zones: [{ zone: 'eu-a', local: true, members: 1, usable: 0, attempts: 11 }],
    endpoints: [
      {
        id: 'node/orders-1',
        address: '10.0.0.4',
        port: 8080,
        zone: 'eu-a',
        weight: 1,
        state: 'ejected',
        active: 2,
        attempts: 11,
        failures: 1,
        ejections: 1,
        ejectedForMs: 4500,
        connections: {
          active: 1,
          idle: 2,
          connecting: 0,
          opened: 3,
          waiting: 0,
          learnedIdleMs: 5000,
        },
      },
    ],
    resolver: {
      service: name,
      source: 'consul',
      ageMs: 12,
      fromSnapshot: true,
      quarantine: 'the index went backwards',
      lastError: null,
    },
  };
}

export function spanView(changes: Partial<SpanView>): SpanView {
  return {
    traceId: 'a'.repeat(32),
    spanId: '1'.repeat(16),
    parentSpanId: null,
    name: 'GET',
    kind: 'SERVER',
    service: 'shop',
    startMs: 1000,
    durationMs: 12.5,
    error: false,
    attributes: {},
    ...changes,
  };
}
