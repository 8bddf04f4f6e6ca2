import { expect } from 'chai';
import type { ClusterView } from '../../../sidecar/admin/views.ts';
import { observe, type Sample } from '../../../sidecar/up/observe.ts';
import { clustersView, clusterView, endpointView, smallPlan } from './samples.ts';

const [web1, web2] = smallPlan.instances;

function edgeSample(atMs: number, fields: Partial<ClusterView>, uptimeMs = 60_000): Sample {
  const view = clustersView('edge', [clusterView(fields)], { uptimeMs });
  return { atMs, sidecars: new Map([['edge', view]]) };
}

describe('observation of the mesh', () => {
  it('turns counters into rates over the time between two samples', () => {
    const state = observe(
      smallPlan,
      edgeSample(1000, { requests: 100, failures: 1, retries: 2 }),
      edgeSample(3000, { requests: 200, failures: 3, retries: 12, p50Ms: 5, p99Ms: 9 }, 62_000),
    );

    expect(state.calls[0]).to.include({
      caller: 'edge',
      callee: 'web',
      requestsPerSecond: 50,
      failuresPerSecond: 1,
      retriesPerSecond: 5,
      p50Ms: 5,
      p99Ms: 9,
    });
    expect(state).to.include({ requests: 200, failures: 3, retries: 12 });
  });

  it('counts a restarted sidecar from its own start', () => {
    const state = observe(
      smallPlan,
      edgeSample(1000, { requests: 1000 }, 60_000),
      edgeSample(3000, { requests: 10 }, 500),
    );

    expect(state.calls[0]?.requestsPerSecond).to.equal(20);
  });

  it('shows the share of attempts that stayed in the own zone', () => {
    const zones = (local: number, remote: number) => [
      { zone: 'a', local: true, members: 1, usable: 1, attempts: local },
      { zone: 'b', local: false, members: 1, usable: 1, attempts: remote },
    ];

    const state = observe(
      smallPlan,
      edgeSample(0, { zones: zones(100, 100) }),
      edgeSample(1000, { zones: zones(130, 110) }, 61_000),
    );

    expect(state.calls[0]?.sameZone).to.equal(0.75);
    expect(state.calls[1]?.sameZone).to.equal(null);
  });

  it('weighs p50 by the callers and takes p99 of the worst', () => {
    const webSample = (atMs: number, first: number, second: number): Sample => ({
      atMs,
      sidecars: new Map([
        [
          'web-1',
          clustersView('web', [clusterView({ name: 'db', requests: first, p50Ms: 2, p99Ms: 4 })]),
        ],
        [
          'web-2',
          clustersView('web', [clusterView({ name: 'db', requests: second, p50Ms: 6, p99Ms: 40 })]),
        ],
      ]),
    });

    const state = observe(smallPlan, webSample(0, 0, 0), webSample(1000, 30, 10));

    expect(state.calls[1]).to.include({ requestsPerSecond: 40, p50Ms: 3, p99Ms: 40 });
  });

  it('names ejected instances and counts who has ejected them', () => {
    const endpoints = [
      endpointView({ port: web1!.app!.inboundPort, state: 'ejected' }),
      endpointView({ port: web2!.app!.inboundPort, state: 'critical' }),
    ];

    const state = observe(
      smallPlan,
      edgeSample(0, {}),
      edgeSample(1000, { endpoints, ejections: 1 }, 61_000),
    );

    expect(state.calls[0]?.ejected).to.deep.equal(['web-1']);
    expect(state.instances.find((it) => it.id === 'web-1')).to.include({
      ejectedBy: 1,
      knownBy: 1,
    });
    expect(state.instances.find((it) => it.id === 'web-2')).to.include({
      ejectedBy: 0,
      knownBy: 1,
    });
  });

  it('says which sidecars did not answer', () => {
    const state = observe(smallPlan, edgeSample(0, {}), edgeSample(1000, {}, 61_000));

    const answering = state.instances.filter((it) => it.answering).map((it) => it.id);
    expect(answering).to.deep.equal(['edge']);
  });

  it('reports the oldest endpoint list and lists that hold removals back', () => {
    const resolver = {
      service: 'web',
      source: 'consul',
      fromSnapshot: false,
      lastError: null,
      ageMs: 7000,
      quarantine: 'the index went backwards',
    };

    const state = observe(smallPlan, edgeSample(0, {}), edgeSample(1000, { resolver }, 61_000));

    expect(state).to.include({ discoveryAgeMs: 7000, quarantined: 1 });
  });
});
