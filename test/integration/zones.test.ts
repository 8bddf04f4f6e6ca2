import { expect } from 'chai';
import type { ClustersView } from '../../sidecar/admin/views.ts';
import { App } from '../support/app.ts';
import { type ConsulAgent, startConsul } from '../support/consul-agent.ts';
import { failures, Load } from '../support/load.ts';
import { TestMesh } from '../support/test-mesh.ts';
import { until } from '../support/until.ts';

const REQUESTS = 3000;

describe('two zones with uneven counts', function () {
  this.timeout(60_000);
  let consul: ConsulAgent;
  let mesh: TestMesh;
  const apps: App[] = [];

  beforeEach(async function () {
    const agent = await startConsul();
    if (agent === null) return this.skip();
    consul = agent;
    mesh = new TestMesh(agent);
  });

  afterEach(async () => {
    await mesh?.dispose();
    await Promise.all(apps.splice(0).map((app) => app.stop()));
    await consul?.stop();
  });

  it('share traffic within 5 points of the arithmetic', async () => {
    // Callers: ourselves and two more in a, one in b. Endpoints: two in a, four in b.
    const zones = { a: 2, b: 4 } as const;
    const total = zones.a + zones.b;
    for (const [zone, count] of Object.entries(zones)) {
      for (let index = 0; index < count; index++) {
        const app = await App.start(`${zone}-${index}`);
        apps.push(app);
        await register(consul, 'stock', app.name, app.port, zone);
      }
    }
    for (const [index, zone] of ['a', 'a', 'b'].entries()) {
      await register(consul, 'caller', `caller-${index}`, 9, zone);
    }
    const { sidecar, url } = await mesh.caller('stock', {
      service: { name: 'caller', zone: 'a' },
      balancing: { zone: 'proportional', minClusterSize: 1 },
    });
    await until(
      async () => (await sidecar.json<ClustersView>('/clusters')).clusters[0]?.usable === total,
      10_000,
      () => 'the caller does not see every endpoint',
    );
    const load = new Load(url, 600);
    await until(
      () => load.sent >= REQUESTS,
      30_000,
      () => 'no load',
    );
    const result = await load.stop();

    expect(result.failed, failures(result)).to.have.length(0);
    let local = 0;
    for (const [instance, count] of result.byInstance)
      if (instance.startsWith('a-')) local += count;
    // Envoy's arithmetic: two thirds of the callers are here with a third of the endpoints, so half stays.
    expect(local / result.succeeded).to.be.within(0.45, 0.55);
    expect(result.byInstance.size).to.equal(total);
  });
});

/** Registers an instance without a sidecar, as any Consul user would. */
async function register(
  consul: ConsulAgent,
  service: string,
  id: string,
  port: number,
  zone: string,
): Promise<void> {
  const response = await fetch(`http://${consul.address}/v1/agent/service/register`, {
    method: 'PUT',
    body: JSON.stringify({
      ID: id,
      Name: service,
      Address: '127.0.0.1',
      Port: port,
      Meta: { zone },
    }),
  });
  expect(response.status).to.equal(200);
}
