import { expect } from 'chai';
import type { ClustersView, ClusterView } from '../../sidecar/admin/views.ts';
import { freePorts } from '../../sidecar/up/ports.ts';
import { App } from '../support/app.ts';
import { call } from '../support/call.ts';
import { type FakeAnswer, FakeConsul } from '../support/fake-consul.ts';
import { failures, Load, type LoadResult } from '../support/load.ts';
import { SidecarProcess } from '../support/sidecar-process.ts';
import { until } from '../support/until.ts';

/** Answers that say nothing one could use. */
const useless: Readonly<Record<string, FakeAnswer>> = {
  'a 500': { status: 500, body: 'No cluster leader' },
  'half an answer': 'cut',
  'text that is no JSON': {
    headers: { 'x-consul-index': '900' },
    body: '<html>captive portal</html>',
  },
  'JSON that is no list': { headers: { 'x-consul-index': '900' }, body: '{"Node":1}' },
  'a list of other things': { headers: { 'x-consul-index': '900' }, body: '[1,null,"a",{}]' },
  'JSON as deep as a well': {
    headers: { 'x-consul-index': '900' },
    body: '['.repeat(200_000),
  },
  'an answer of 50 MB': {
    headers: { 'x-consul-index': '900' },
    body: `[${' '.repeat(52_428_800)}]`,
  },
};

describe('a registry that misbehaves', function () {
  this.timeout(15_000);
  let consul: FakeConsul;
  let apps: App[];
  let sidecar: SidecarProcess;
  let port: number;

  beforeEach(async () => {
    consul = await FakeConsul.start();
    apps = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => App.start(name)));
    [port] = (await freePorts(1)) as [number];
    consul.set('orders', listed(5));
    sidecar = await SidecarProcess.start({
      service: { name: 'caller' },
      consul: { address: consul.address },
      upstreams: [{ service: 'orders', port }],
    });
    await until(
      async () => (await cluster()).usable === 5,
      5000,
      () => 'the endpoints are not found',
    );
  });

  afterEach(async () => {
    await sidecar.dispose();
    await Promise.all(apps.map((app) => app.stop()));
    await consul.down();
  });

  const listed = (count: number) =>
    apps.slice(0, count).map((app) => ({ id: app.name, port: app.port }));

  async function cluster(): Promise<ClusterView> {
    const { clusters } = await sidecar.json<ClustersView>('/clusters');
    return clusters.find(({ name }) => name === 'orders') as ClusterView;
  }

  /** Answers of the registry by what came of them, by the sidecar's own count. */
  async function counted(result: string): Promise<number> {
    const { body } = await sidecar.get('/metrics');
    const lines = body
      .split('\n')
      .filter((line) => line.startsWith('outrigger_discovery_updates_total{'))
      .filter((line) => line.includes(`"${result}"`));
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  /** Load while `work` runs. */
  async function during(work: () => Promise<void>): Promise<LoadResult> {
    const load = new Load(`http://127.0.0.1:${port}/`, 50);
    await work();
    const sent = load.sent;
    await until(
      () => load.sent > sent + 10,
      3000,
      () => 'no load',
    );
    return load.stop();
  }

  for (const [what, answer] of Object.entries(useless)) {
    it(`by ${what} takes no endpoint away and holds nobody up`, async () => {
      const result = await during(async () => {
        consul.always(answer);
        await until(
          async () => (await counted('failed')) > 0,
          5000,
          () => 'it is not asked again',
        );
      });
      const { members, usable } = await cluster();

      expect(result.failed, failures(result)).to.have.length(0);
      expect([members, usable]).to.deep.equal([5, 5]);
      expect(sidecar.output).not.to.contain('a bug in outrigger');
    });
  }

  it('by connections that break is believed again as soon as it is back', async () => {
    const result = await during(async () => {
      await consul.down();
      apps.push(await App.start('f'));
      consul.set('orders', listed(6));
      await consul.up();
      await until(
        async () => (await cluster()).usable === 6,
        10_000,
        () => 'the new endpoint is not found',
      );
    });

    expect(result.failed, failures(result)).to.have.length(0);
  });

  it('by an index that goes back and a list that is suddenly empty takes no endpoint away', async () => {
    const { members } = await cluster();
    const result = await during(async () => {
      consul.index = 7n;
      consul.replace('orders', []);
      await until(
        async () => (await counted('quarantined')) > 0,
        8000,
        () => 'it is not asked again',
      );
    });

    expect(result.failed, failures(result)).to.have.length(0);
    expect((await cluster()).members).to.equal(members);
  });

  it('by one endpoint that comes and goes ten times a second leaves the others their connections', async () => {
    const stays = (view: ClusterView) =>
      view.endpoints.filter(({ id }) => id !== 'e').map(({ connections }) => connections.opened);
    for (let i = 0; i < 20; i++) await call(port);
    const before = stays(await cluster());
    const result = await during(async () => {
      for (let flap = 0; flap < 30; flap++) {
        consul.set('orders', flap % 2 === 0 ? listed(4) : listed(5));
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    });
    const after = stays(await cluster());

    expect(result.failed, failures(result)).to.have.length(0);
    // Idle ones end by themselves after a while; nothing else may end them.
    for (const [i, opened] of after.entries()) {
      expect(opened - (before[i] ?? 0)).to.be.lessThan(6);
    }
  });
});
