import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ClustersView } from '../../sidecar/admin/views.ts';
import {
  type ConsulAgent,
  type ConsulCluster,
  startConsul,
  startConsulCluster,
} from '../support/consul-agent.ts';
import { failures, Load } from '../support/load.ts';
import type { SidecarProcess } from '../support/sidecar-process.ts';
import { TestMesh } from '../support/test-mesh.ts';
import { until } from '../support/until.ts';

const IDS = ['orders-1', 'orders-2', 'orders-3'];
const PER_SECOND = 50;

describe('a registry that is away', function () {
  this.timeout(120_000);
  let consul: ConsulAgent | null = null;
  let mesh: TestMesh | null = null;
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'outrigger-snapshot-'));
  });

  afterEach(async () => {
    await mesh?.dispose();
    await consul?.stop();
    await rm(directory, { recursive: true, force: true });
    mesh = consul = null;
  });

  it('for 30 s costs no request and no endpoint', async function () {
    consul = await startConsul();
    if (consul === null) return this.skip();
    const { sidecar, url } = await start(consul);
    const load = new Load(url, PER_SECOND);
    const fewest = watchMembers(sidecar);
    await consul.kill();
    await until(
      () => load.sent >= 30 * PER_SECOND,
      40_000,
      () => 'no load',
    );
    await consul.restart();
    await until(
      () => load.sent >= 40 * PER_SECOND,
      20_000,
      () => 'no load',
    );
    const result = await load.stop();

    expect(result.failed, failures(result)).to.have.length(0);
    expect(await fewest()).to.equal(IDS.length);
    expect([...result.byInstance.keys()]).to.have.members(IDS);
  });

  it('does not keep a sidecar from starting with the endpoints it last knew', async function () {
    consul = await startConsul();
    if (consul === null) return this.skip();
    const { sidecar, url } = await start(consul);
    expect(await sidecar.terminate()).to.equal(0);
    await consul.kill();
    sidecar.spawn();
    await sidecar.ready();
    const load = new Load(url, PER_SECOND);
    await until(
      () => load.sent >= 2 * PER_SECOND,
      10_000,
      () => 'no load',
    );
    const result = await load.stop();

    expect(result.failed, failures(result)).to.have.length(0);
    const view = await sidecar.json<ClustersView>('/clusters');
    expect(view.clusters.find(({ name }) => name === 'orders')?.resolver?.fromSnapshot).to.equal(
      true,
    );
  });

  it('takes no endpoint away when all servers restart', async function () {
    const cluster: ConsulCluster | null = await startConsulCluster();
    if (cluster === null) return this.skip();
    consul = cluster;
    const { sidecar, url } = await start(cluster);
    const load = new Load(url, PER_SECOND);
    const fewest = watchMembers(sidecar);
    await cluster.killServers();
    cluster.startServers();
    await cluster.ready();
    const sent = load.sent;
    await until(
      () => load.sent >= sent + 5 * PER_SECOND,
      20_000,
      () => 'no load',
    );
    const result = await load.stop();

    expect(result.failed, failures(result)).to.have.length(0);
    expect(await fewest()).to.equal(IDS.length);
  });

  async function start(agent: ConsulAgent): Promise<{ sidecar: SidecarProcess; url: string }> {
    const made = new TestMesh(agent);
    mesh = made;
    await Promise.all(IDS.map((id) => made.instance('orders', id)));
    const { sidecar, url } = await made.caller('orders', { consul: { snapshotDir: directory } });
    await until(
      async () => usable(await sidecar.json('/clusters')) === IDS.length,
      15_000,
      () => 'the caller does not see every instance',
    );
    return { sidecar, url };
  }
});

function members(view: ClustersView): number {
  return view.clusters.find(({ name }) => name === 'orders')?.members ?? 0;
}

function usable(view: ClustersView): number {
  return view.clusters.find(({ name }) => name === 'orders')?.usable ?? 0;
}

/**
 * Looks at the number of endpoints all the time. Those whose check ran out while Consul was away count: they are
 * critical until their next beat, and used meanwhile, because most being so is no evidence against any of them.
 * The returned function ends it and tells the smallest seen. */
function watchMembers(sidecar: SidecarProcess): () => Promise<number> {
  let smallest = Number.POSITIVE_INFINITY;
  let over = false;
  const watching = (async () => {
    while (!over) {
      smallest = Math.min(smallest, members(await sidecar.json('/clusters')));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return async () => {
    over = true;
    await watching;
    return smallest;
  };
}
