import { expect } from 'chai';
import { Cluster } from '../../sidecar/cluster/cluster.ts';
import { resolveConfig } from '../../sidecar/config/resolve.ts';
import { configSchema } from '../../sidecar/config/schema.ts';
import { Failure } from '../../sidecar/failure.ts';
import { observeSidecar } from '../../sidecar/gauges.ts';
import { INBOUND } from '../../sidecar/ports.ts';
import type { FamilyName } from '../../telemetry/families.ts';
import { MethodNames } from '../../telemetry/method-names.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { clusterOptions, IdleUpstream, specOf } from '../support/endpoints.ts';
import { FakeClock } from '../support/fake-clock.ts';

const clock = new FakeClock();
const config = resolveConfig(
  configSchema.parse({
    service: { name: 'shop' },
    inbound: { port: 8080, appPort: 3000 },
    upstreams: [{ service: 'orders', name: 'fast-orders', port: 9101 }],
  }),
);

/** A cluster with one endpoint whose connections are as given. */
function clusterOf(name: string, active: number, idle: number): Cluster {
  const cluster = new Cluster({ ...clusterOptions(), name }, clock, () => {
    const upstream = new IdleUpstream();
    Object.assign(upstream.stats, { active, idle });
    return upstream;
  });
  cluster.setMembers([specOf(1)]);
  return cluster;
}

/** Values of the series of a family, by their labels. */
function read(clusters: readonly Cluster[], family: FamilyName): Record<string, number> {
  const metrics = new Metrics(clock, new MethodNames(), { maxSeries: 100, idleSeriesMs: 1000 });
  observeSidecar(metrics, {
    clusters: Object.assign(clusters, { status: () => null }),
    listeners: { views: () => [] },
    clock,
    config: () => config,
    generation: () => 1,
    draining: () => false,
  });
  const values: Record<string, number> = {};
  for (const entry of metrics.collect()) {
    if (entry.kind !== 'number' || entry.name !== family) continue;
    for (const { attributes, cell } of entry.family.series()) {
      values[Object.values(attributes).join(' ')] = cell.value;
    }
  }
  return values;
}

describe('gauges of the sidecar', () => {
  it('name open connections as requests are named: by service and port, of upstreams alone', () => {
    const clusters = [
      clusterOf('fast-orders', 2, 3),
      clusterOf('stock', 0, 1),
      clusterOf(INBOUND, 7, 7),
    ];

    expect(read(clusters, 'http.client.open_connections')).to.deep.equal({
      'orders 9101 active': 2,
      'orders 9101 idle': 3,
      'stock 80 active': 0,
      'stock 80 idle': 1,
    });
  });

  it('count what hit a limit of requests or of a pool, inbound by the name of the service', () => {
    const outbound = clusterOf('stock', 0, 0);
    const inbound = clusterOf(INBOUND, 0, 0);
    const [endpoint] = outbound.members;
    if (endpoint === undefined) throw new Error('the cluster has no endpoint');
    const failure = new Failure('queue_timeout', '', { limit: 'queueTimeoutMs' });
    outbound.started(endpoint);
    outbound.ended(endpoint, { status: 0, failure, durationMs: 1 });
    inbound.limits.maxRequests = 0;
    inbound.limits.tryEnter();

    expect(read([outbound, inbound], 'outrigger_overflow_total')).to.deep.equal({
      'stock maxRequests': 0,
      'stock maxWaiting': 0,
      'stock queueTimeoutMs': 1,
      'shop maxRequests': 1,
      'shop maxWaiting': 0,
      'shop queueTimeoutMs': 0,
    });
  });
});
