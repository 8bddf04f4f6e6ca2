import { expect } from 'chai';
import { observe } from '../../../sidecar/up/observe.ts';
import { renderStatus, renderView, type ViewModel } from '../../../sidecar/up/view.ts';
import { clustersView, clusterView, endpointView, smallPlan } from './samples.ts';

const wide = { columns: 120, rows: 30, color: false };

function model(fields: Partial<ViewModel> = {}): ViewModel {
  return {
    state: busyState(),
    conditions: new Map(),
    registry: { kind: 'embedded', address: '127.0.0.1:1', running: true },
    traces: 'in memory',
    uptimeMs: 83_000,
    events: [],
    trace: null,
    ...fields,
  };
}

function busyState() {
  const edge = (requests: number, attempts: number) =>
    clustersView('edge', [
      clusterView({
        requests,
        failures: 3,
        retries: 4,
        p50Ms: 6.12,
        p99Ms: 1400,
        zones: [{ zone: 'a', local: true, members: 2, usable: 2, attempts }],
        endpoints: [
          endpointView({ port: smallPlan.instances[0]!.app!.inboundPort, state: 'ejected' }),
        ],
      }),
    ]);
  return observe(
    smallPlan,
    { atMs: 0, sidecars: new Map([['edge', edge(0, 0)]]) },
    { atMs: 1000, sidecars: new Map([['edge', edge(50, 50)]]) },
  );
}

describe('live view', () => {
  it('shows who calls whom with rate, quantiles, zone share and ejections', () => {
    const line = renderView(model(), wide).find((it) => it.includes('edge → web'));

    expect(line).to.match(/50\.0 +6\.1 ms +1\.40 s .*100 % █{10} {2}ejected: web-1/);
  });

  it('shows the admin address of every sidecar', () => {
    const text = renderView(model(), wide).join('\n');

    for (const { adminPort } of [smallPlan.edge, ...smallPlan.instances]) {
      expect(text).to.include(`http://127.0.0.1:${adminPort}`);
    }
  });

  it('shows what became of an instance', () => {
    const conditions = new Map([
      ['web-1', { kind: 'down', backInMs: 6400 } as const],
      ['web-2', { kind: 'slow' } as const],
      ['db-1', { kind: 'failing' } as const],
    ]);

    const text = renderView(model({ conditions }), wide).join('\n');

    expect(text).to.match(/web-1 .*killed, back in 7 s/);
    expect(text).to.match(/web-2 .*slow/);
    expect(text).to.match(/db-1 .*failing/);
  });

  it('says that the registry is stopped', () => {
    const registry = { kind: 'consul', address: '127.0.0.1:1', running: false };

    expect(renderView(model({ registry }), wide)[1]).to.equal(
      ' registry consul at 127.0.0.1:1 stopped; the last good endpoints serve',
    );
  });

  it('says what callers hold against an instance that serves', () => {
    const state = busyState();
    const instances = state.instances.map((it) =>
      it.id === 'web-2' ? { ...it, answering: true, criticalFor: 1, knownBy: 2 } : it,
    );

    const text = renderView(model({ state: { ...state, instances } }), wide).join('\n');

    expect(text).to.match(/web-2 .*serving, critical for 1 of 2/);
  });

  it('shows every call and instance, some events and the keys on 80 × 24', () => {
    const events = [{ atMs: 0, text: 'web-1 killed' }];

    const lines = renderView(model({ events }), { columns: 80, rows: 24, color: false });

    for (const { id } of smallPlan.instances) {
      expect(lines.some((it) => it.includes(` ${id} `) && it.includes('http://'))).to.equal(true);
    }
    expect(lines.join('\n')).to.include('web-1 killed').and.include('q quit');
  });

  it('shows the newest events that fit, and the trace instead when there is one', () => {
    const events = Array.from({ length: 50 }, (_, i) => ({ atMs: i * 1000, text: `event ${i}` }));

    const withEvents = renderView(model({ events }), wide).join('\n');
    const withTrace = renderView(model({ events, trace: ['trace abc'] }), wide).join('\n');

    expect(withEvents).to.include('event 49').and.not.include('event 0\n');
    expect(withTrace).to.include('trace abc').and.not.include('event 49');
  });

  for (const [columns, rows] of [
    [120, 40],
    [80, 24],
    [40, 8],
    [10, 1],
  ] as const) {
    it(`never leaves a screen of ${columns} × ${rows}`, () => {
      const events = [{ atMs: 0, text: 'x'.repeat(300) }];
      const lines = renderView(model({ events }), { columns, rows, color: false });

      expect(lines.length).to.be.at.most(rows);
      for (const line of lines) expect(line.length).to.be.at.most(columns);
    });
  }

  it('keeps the keys in sight on a low screen', () => {
    expect(renderView(model(), { ...wide, rows: 6 }).at(-1)).to.include('q quit');
  });

  it('colours only when asked to, without changing the text', () => {
    // oxlint-disable-next-line no-control-regex -- the colour codes are what is taken out
    const codes = /\u001b\[[0-9;]*m/g;

    const plain = renderView(model(), wide);
    const colored = renderView(model(), { ...wide, color: true });

    expect(plain.join('\n')).to.not.match(codes);
    expect(colored.join('\n')).to.match(codes);
    expect(colored.map((it) => it.replace(codes, '').trimEnd())).to.deep.equal(plain);
  });

  it('lets no control character of a name reach the terminal', () => {
    const trace = ['evil \u001b[2J name'];

    expect(renderView(model({ trace }), wide).join('')).to.include('evil ?[2J name');
  });

  it('waits for the second reading', () => {
    expect(renderView(model({ state: null }), wide).join('\n')).to.include('waiting for');
  });

  it('says the same in one line for logs', () => {
    expect(renderStatus(busyState(), true, '12:01:05')).to.equal(
      '12:01:05  50.0 req/s · 50 calls, 3 failed · p50 6.1 ms, p99 1.40 s · 4 retries · ejected: web-1 · registry up',
    );
  });
});
