import { expect } from 'chai';
import type { ClustersView } from '../../sidecar/admin/views.ts';
import { type ConsulAgent, startConsul } from '../support/consul-agent.ts';
import { failures, Load } from '../support/load.ts';
import { TestMesh } from '../support/test-mesh.ts';
import { until } from '../support/until.ts';

const PER_SECOND = 300;

describe('an instance that is killed', function () {
  this.timeout(60_000);
  let consul: ConsulAgent;
  let mesh: TestMesh;

  beforeEach(async function () {
    const agent = await startConsul();
    if (agent === null) return this.skip();
    consul = agent;
    mesh = new TestMesh(agent);
  });

  afterEach(async () => {
    await mesh?.dispose();
    await consul?.stop();
  });

  it('costs the callers of 300 GET per second no request', async () => {
    const ids = ['orders-1', 'orders-2', 'orders-3'];
    const instances = await Promise.all(ids.map((id) => mesh.instance('orders', id)));
    const { sidecar, url } = await mesh.caller('orders');
    await until(
      async () => (await members(sidecar.json('/clusters'))) === 3,
      10_000,
      () => 'the caller does not see three instances',
    );
    const load = new Load(url, PER_SECOND);
    await until(
      () => load.sent >= PER_SECOND,
      10_000,
      () => 'no load',
    );
    instances[1]?.sidecar.signal('SIGKILL');
    await until(
      () => load.sent >= 4 * PER_SECOND,
      20_000,
      () => 'no load',
    );
    const result = await load.stop();

    expect(result.failed, failures(result)).to.have.length(0);
    expect([...result.byInstance.keys()]).to.have.members(ids);
  });

  it('hands its callers over without loss when it is told to end', async () => {
    const ids = ['orders-1', 'orders-2'];
    const instances = await Promise.all(ids.map((id) => mesh.instance('orders', id)));
    const { sidecar, url } = await mesh.caller('orders');
    await until(
      async () => (await members(sidecar.json('/clusters'))) === 2,
      10_000,
      () => 'the caller does not see two instances',
    );
    const load = new Load(url, PER_SECOND);
    await until(
      () => load.sent >= PER_SECOND,
      10_000,
      () => 'no load',
    );
    const code = await instances[0]?.sidecar.terminate();
    const sent = load.sent;
    await until(
      () => load.sent >= sent + PER_SECOND,
      10_000,
      () => 'no load',
    );
    const result = await load.stop();

    expect(code).to.equal(0);
    expect(result.failed, failures(result)).to.have.length(0);
    expect(await members(sidecar.json('/clusters'))).to.equal(1);
  });
});

async function members(view: Promise<ClustersView>): Promise<number> {
  return (await view).clusters.find(({ name }) => name === 'orders')?.members ?? 0;
}
