import { rename, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { expect } from 'chai';
import type { ConfigView } from '../../sidecar/admin/views.ts';
import { freePorts } from '../../sidecar/up/ports.ts';
import { App } from '../support/app.ts';
import { call } from '../support/call.ts';
import { failures, Load } from '../support/load.ts';
import { descriptors, residentBytes, skipWithoutProc } from '../support/process-facts.ts';
import { SidecarProcess } from '../support/sidecar-process.ts';
import { callerConfig } from '../support/static-caller.ts';
import { until } from '../support/until.ts';

describe('a reload', function () {
  this.timeout(15_000);
  let app: App;
  let port: number;
  let second: number;
  let sidecar: SidecarProcess;

  beforeEach(async () => {
    app = await App.start('orders-1', (request, response) => {
      if (request.url === '/slow') setTimeout(() => response.end('slow'), 400);
      else response.end('ok');
    });
    [port, second] = (await freePorts(2)) as [number, number];
    sidecar = await SidecarProcess.start(config());
  });

  afterEach(async () => {
    await sidecar.dispose();
    await app.stop();
  });

  const config = (upstream: Record<string, unknown> = {}, whole: Record<string, unknown> = {}) =>
    callerConfig(port, [app.port], upstream, whole);

  const view = () => sidecar.json<ConfigView>('/config');

  /** Replaces the file in one step and asks for it. */
  async function reload(next: Record<string, unknown>): Promise<void> {
    await sidecar.configure(next);
    sidecar.signal('SIGHUP');
  }

  async function reaches(generation: number): Promise<void> {
    await until(
      async () => (await view()).generation >= generation,
      5000,
      () => `generation ${generation} does not come\n${sidecar.output}`,
    );
  }

  it('a hundred times over loses no request, no memory and no descriptor', async function () {
    skipWithoutProc(this);
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    const failed: string[] = [];
    let answered = 0;
    let over = false;
    const client = async () => {
      while (!over) {
        const answer = await call(port, { agent }).catch((error: Error) => error);
        if (!(answer instanceof Error) && answer.status === 200) answered++;
        else failed.push(answer instanceof Error ? answer.message : answer.code);
      }
    };
    const clients = [client(), client(), client(), client()];
    const swap = async (from: number, to: number) => {
      for (let generation = from; generation <= to; generation++) {
        await reload(config({ retries: { max: generation % 5 }, timeoutMs: 5000 + generation }));
        await reaches(generation);
      }
    };
    await swap(2, 40);
    const [bytes, open] = [residentBytes(sidecar.pid), descriptors(sidecar.pid)];
    await swap(41, 101);
    const grown = (residentBytes(sidecar.pid) - bytes) / 1_048_576;
    const more = descriptors(sidecar.pid) - open;
    over = true;
    await Promise.all(clients);
    agent.destroy();

    expect(failed).to.deep.equal([]);
    expect(answered).to.be.greaterThan(500);
    expect(grown).to.be.lessThan(20);
    expect(more).to.be.lessThan(10);
  });

  it('of a file with mistakes changes nothing, and says so', async () => {
    const bad = {
      mistake: JSON.stringify({ ...config(), retires: {} }),
      truncated: JSON.stringify(config()).slice(0, -20),
      duplicate: `service: {name: a}\nservice: {name: b}\n`,
      prototype: `service: {name: a}\n__proto__: {x: 1}\n`,
    };
    for (const [what, text] of Object.entries(bad)) {
      const before = sidecar.output.length;
      await writeFile(`${sidecar.file}.new`, text);
      await rename(`${sidecar.file}.new`, sidecar.file);
      sidecar.signal('SIGHUP');
      await until(
        () => sidecar.output.indexOf('config_rejected', before) >= 0,
        5000,
        () => `${what}: nothing is said`,
      );
      const { generation, rejected } = await view();

      expect(generation, what).to.equal(1);
      expect(rejected.length, what).to.be.greaterThan(0);
      expect((await call(port)).status, what).to.equal(200);
    }
    await reload(config({ timeoutMs: 77 }));
    await reaches(2);
    expect((await view()).rejected).to.deep.equal([]);
  });

  it('opens the port of a new upstream, and closes one that is gone behind its requests', async () => {
    const both = config();
    const more = { ...(both['upstreams'] as object[])[0], service: 'stock', port: second };
    await reload({ ...both, upstreams: [...(both['upstreams'] as object[]), more] });
    await until(
      async () => (await call(second).catch(() => null))?.status === 200,
      5000,
      () => 'the new port does not open',
    );
    const running = call(second, { path: '/slow' });
    await until(
      async () => (await sidecar.get('/clusters')).body.includes('"inFlight":1'),
      3000,
      () => 'the request is not under way',
    );
    await reload(config());
    await until(
      async () => (await call(second).catch((error: Error) => error)) instanceof Error,
      5000,
      () => 'the port stays open',
    );

    expect((await running).body).to.equal('slow');
    expect((await call(port)).status).to.equal(200);
  });

  it('gives a port to another upstream without closing it', async () => {
    const load = new Load(`http://127.0.0.1:${port}/`, 100);
    await reload(config({ name: 'renamed' }));
    await reaches(2);
    await until(
      () => load.sent > 50,
      3000,
      () => 'no load',
    );
    const result = await load.stop();
    const { clusters } = await sidecar.json<{ clusters: { name: string; requests: number }[] }>(
      '/clusters',
    );

    expect(result.failed, failures(result)).to.have.length(0);
    expect(clusters.map(({ name }) => name)).to.deep.equal(['renamed']);
    expect(clusters[0]?.requests).to.be.greaterThan(0);
  });

  it('is refused whole where a port is taken', async () => {
    await reload(config({ timeoutMs: 9 }, { forwardProxy: { enabled: true, port: app.port } }));
    await until(
      async () => (await view()).rejected.length > 0,
      5000,
      () => 'nothing is said',
    );

    expect((await view()).rejected.join()).to.contain('another process uses the port');
    expect((await view()).generation).to.equal(1);
    expect((await call(port)).status).to.equal(200);
  });

  it('is refused where it only works after a restart, and what needs one is named', async () => {
    const dependent = config({ endpoints: undefined, resolver: 'consul' }, { consul: {} });
    await reload(dependent);
    await until(
      async () => (await view()).rejected.length > 0,
      5000,
      () => 'nothing is said',
    );

    expect((await view()).rejected.join()).to.contain('consul.enabled');
    expect((await call(port)).status).to.equal(200);
  });

  it('of connection limits holds for the endpoints that are known already', async () => {
    const slow = Array.from({ length: 2 }, () => call(port, { path: '/slow' }));
    await until(
      async () => (await sidecar.get('/clusters')).body.includes('"inFlight":2'),
      3000,
      () => 'the requests are not under way',
    );
    await reload(config({ limits: { maxConnections: 1, maxWaiting: 0 } }));
    await reaches(2);
    const answers = await Promise.all([
      call(port, { path: '/slow' }),
      call(port, { path: '/slow' }),
    ]);

    expect((await Promise.all(slow)).map(({ status }) => status)).to.deep.equal([200, 200]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).to.deep.equal([200, 503]);
    expect(answers.find(({ status }) => status === 503)?.code).to.equal('overflow');
  });

  it('takes over when the file changes, without a signal', async () => {
    await sidecar.configure(config({ timeoutMs: 4321 }));
    await reaches(2);

    expect(JSON.stringify((await view()).config)).to.contain('4321');
  });
});
