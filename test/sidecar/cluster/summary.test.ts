import { expect } from 'chai';
import { Cluster } from '../../../sidecar/cluster/cluster.ts';
import type { Endpoint } from '../../../sidecar/cluster/endpoint.ts';
import { summarize } from '../../../sidecar/cluster/summary.ts';
import { Failure } from '../../../sidecar/failure.ts';
import { clusterOptions, IdleUpstream, specOf } from '../../support/endpoints.ts';
import { FakeClock } from '../../support/fake-clock.ts';

describe('cluster summary', () => {
  it('shows standings per endpoint and counts per zone', () => {
    const clock = new FakeClock();
    const cluster = new Cluster(clusterOptions({ zone: 'a' }), clock, () => new IdleUpstream());
    cluster.setMembers([
      specOf(0),
      specOf(1),
      specOf(2, { zone: 'b', health: 'critical' }),
      specOf(3, { zone: 'b', health: 'maintenance' }),
    ]);
    const [served, refused] = cluster.members as [Endpoint, Endpoint];
    cluster.started(served);
    cluster.started(refused);
    cluster.ended(refused, {
      status: 0,
      failure: new Failure('connection_refused'),
      durationMs: 1,
    });
    cluster.finished(20, 200, null);

    const summary = summarize(cluster, clock.now());

    expect(summary.zones).to.deep.equal([
      { zone: 'a', local: true, members: 2, usable: 1, attempts: 2 },
      { zone: 'b', local: false, members: 2, usable: 0, attempts: 0 },
    ]);
    expect(summary.endpoints.map(({ state }) => state)).to.deep.equal([
      'usable',
      'ejected',
      'critical',
      'maintenance',
    ]);
    expect(summary.endpoints[0]).to.include({ active: 1, attempts: 1, failures: 0 });
    expect(summary.endpoints[1]).to.include({ active: 0, failures: 1, ejections: 1 });
    expect(summary.endpoints[1]?.ejectedForMs).to.be.within(2500, 7500);
    expect(summary).to.include({ members: 4, ejections: 1, requests: 1, retryTokens: 10 });
    expect(summary.p50Ms).to.be.within(20, 22);
  });
});
