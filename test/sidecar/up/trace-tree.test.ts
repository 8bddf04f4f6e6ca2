import { expect } from 'chai';
import { buildTraceTrees, missingJoints, renderTrace } from '../../../sidecar/up/trace-tree.ts';
import { joinedTrace, smallPlan, span } from './samples.ts';

describe('trace tree', () => {
  it('joins the spans of several sidecars under one root', () => {
    const [tree] = buildTraceTrees(joinedTrace().reverse());

    expect(tree).to.include({ traceId: 't1', spans: 4, orphans: 0, startMs: 1000 });
    expect(tree?.roots.map((it) => it.span.spanId)).to.deep.equal(['e']);
    expect(missingJoints(tree!, smallPlan.calls)).to.deep.equal([]);
  });

  it('puts the newest trace first', () => {
    const spans = [...joinedTrace('old', 1000), ...joinedTrace('new', 2000)];

    expect(buildTraceTrees(spans).map((it) => it.traceId)).to.deep.equal(['new', 'old']);
  });

  it('keeps one copy of a span that two sidecars report', () => {
    const [tree] = buildTraceTrees([...joinedTrace(), ...joinedTrace()]);

    expect(tree?.spans).to.equal(4);
  });

  it('counts spans whose parent nobody has', () => {
    const [tree] = buildTraceTrees(joinedTrace().filter((it) => it.spanId !== 'w'));

    expect(tree).to.include({ orphans: 1 });
    expect(missingJoints(tree!, smallPlan.calls)).to.include('2 roots instead of one');
  });

  it('is not joined when an application drops the context', () => {
    const dropped = joinedTrace().map((it) =>
      it.spanId === 'c' ? { ...it, parentSpanId: null } : it,
    );

    const problems = missingJoints(buildTraceTrees(dropped)[0]!, smallPlan.calls);

    expect(problems).to.include(
      'no span of db under a call from web in a request that web received',
    );
  });

  it('is not joined when the parents are in the wrong order', () => {
    const skipped = joinedTrace().map((it) =>
      it.spanId === 'd' ? { ...it, parentSpanId: 'w' } : it,
    );

    expect(missingJoints(buildTraceTrees(skipped)[0]!, smallPlan.calls)).to.have.length(1);
  });

  it('looks through the INTERNAL span that groups attempts', () => {
    const retried = [
      ...joinedTrace().map((it) => (it.spanId === 'c' ? { ...it, parentSpanId: 'i' } : it)),
      span({ spanId: 'i', parentSpanId: 'w', kind: 'INTERNAL', service: 'web', startMs: 1002 }),
      span({ spanId: 'f', parentSpanId: 'i', service: 'web', startMs: 1002, error: true }),
    ];

    expect(missingJoints(buildTraceTrees(retried)[0]!, smallPlan.calls)).to.deep.equal([]);
  });

  it('renders indented lines with the endpoint, its zone, retries and errors', () => {
    const spans = joinedTrace().map((it) =>
      it.spanId === 'c'
        ? {
            ...it,
            attributes: {
              'network.peer.port': 7,
              'outrigger.zone.selected': 'b',
              'http.request.resend_count': 1,
              'error.type': '503',
            },
          }
        : it,
    );

    const lines = renderTrace(buildTraceTrees(spans)[0]!, (port) => (port === 7 ? 'db-1' : null));

    expect(lines).to.have.length(5);
    expect(lines[0]).to.match(/^trace t1 {2}13\.0 ms {2}4 spans$/);
    expect(lines[3]).to.match(/^ {6}└─ web client GET → db-1 b retry 1 \(503\) +\+2\.0 +10\.0 ms$/);
  });
});
