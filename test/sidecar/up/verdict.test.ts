import { expect } from 'chai';
import { buildTraceTrees } from '../../../sidecar/up/trace-tree.ts';
import type { TrafficTotals } from '../../../sidecar/up/traffic.ts';
import {
  checkCalls,
  checkInstances,
  checkSidecars,
  checkTraces,
  RequestTally,
} from '../../../sidecar/up/verdict.ts';
import { clustersView, clusterView, joinedTrace, smallPlan } from './samples.ts';

function totals(fields: Partial<TrafficTotals>): TrafficTotals {
  const none = { p50Ms: null, p99Ms: null, maxMs: null };
  return { sent: 100, succeeded: 100, failures: new Map(), ...none, ...fields };
}

describe('verdict', () => {
  it('accepts calls that all succeeded', () => {
    expect(checkCalls(totals({}), 100)).to.include({ ok: true, detail: '100 calls, 0 failed' });
  });

  it('rejects a single failed call and says why it failed', () => {
    const failures = new Map([['HTTP 503 no_healthy_upstream', 1]]);

    const check = checkCalls(totals({ succeeded: 99, failures }), 100);

    expect(check.ok).to.equal(false);
    expect(check.detail).to.equal('100 calls, 1 failed, 1 × HTTP 503 no_healthy_upstream');
  });

  it('rejects a run in which hardly any calls were made', () => {
    expect(checkCalls(totals({ sent: 0, succeeded: 0 }), 100).ok).to.equal(false);
  });

  const traces = (joined: number, broken: number) =>
    buildTraceTrees([
      ...Array.from({ length: joined }, (_, i) => joinedTrace(`joined ${i}`)).flat(),
      ...Array.from({ length: broken }, (_, i) => joinedTrace(`broken ${i}`).slice(0, 2)).flat(),
    ]);

  it('accepts traces when nearly all of them join every call', () => {
    const check = checkTraces(traces(19, 1), smallPlan.calls);

    expect(check).to.deep.equal({
      name: 'traces',
      ok: true,
      detail: '19 of the newest 20 traces joined over edge → web, web → db',
    });
  });

  it('rejects traces when more than a few are broken, with what one of them lacks', () => {
    const check = checkTraces(traces(18, 2), smallPlan.calls);

    expect(check.ok).to.equal(false);
    expect(check.detail).to.include('has no span of db under a call from web');
  });

  it('judges the newest traces only', () => {
    const newest = Array.from({ length: 100 }, (_, i) => joinedTrace(`${i}`, 5000)).flat();

    expect(
      checkTraces(buildTraceTrees([...joinedTrace('old').slice(1), ...newest]), smallPlan.calls).ok,
    ).to.equal(true);
  });

  it('rejects a run without any span', () => {
    expect(checkTraces([], smallPlan.calls).detail).to.include('no sidecar has kept');
  });

  it('rejects a run in which an instance got no traffic', () => {
    const check = checkInstances(
      new Map([
        ['web-1', 10],
        ['web-2', 0],
      ]),
    );

    expect(check).to.include({ ok: false });
    expect(check.detail).to.include('no traffic reached web-2');
  });

  it('adds up requests over the restart of a sidecar', () => {
    const tally = new RequestTally(['web-1']);
    for (const requests of [10, 25, 5, 6]) {
      const inbound = clusterView({ direction: 'inbound', requests });
      tally.add(new Map([['web-1', clustersView('web', [inbound])]]));
    }

    expect(tally.requests.get('web-1')).to.equal(31);
  });

  it('rejects a sidecar that is silent or not ready at the end', () => {
    const views = new Map([
      ['web-1', clustersView('web', [])],
      ['web-2', clustersView('web', [], { state: 'starting' })],
    ]);

    const check = checkSidecars(smallPlan.instances, views);

    expect(check).to.include({ ok: false, detail: 'web-2 is starting, db-1 is not answering' });
  });
});
