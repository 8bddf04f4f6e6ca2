import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import type { ClustersView } from '../../sidecar/admin/views.ts';
import { App } from '../support/app.ts';
import { call } from '../support/call.ts';
import { failures, Load } from '../support/load.ts';
import { descriptors, residentBytes, skipWithoutProc } from '../support/process-facts.ts';
import { StaticCaller } from '../support/static-caller.ts';
import { until } from '../support/until.ts';

describe('many connections', function () {
  this.timeout(15_000);
  let app: App;
  let caller: StaticCaller | null;
  let clients: Socket[];

  beforeEach(async () => {
    app = await App.start('orders-1');
    caller = null;
    clients = [];
  });

  afterEach(async () => {
    for (const client of clients) client.destroy();
    await caller?.dispose();
    await app.stop();
  });

  /** Connections that send `text`, if anything, and stay. */
  async function open(count: number, port: number, text = ''): Promise<void> {
    for (let left = count; left > 0; left -= 100) {
      const batch = Array.from({ length: Math.min(100, left) }, () => connect(port, '127.0.0.1'));
      clients.push(...batch);
      for (const socket of batch) socket.on('error', () => {});
      await Promise.all(batch.map((socket) => once(socket, 'connect').catch(() => undefined)));
      if (text !== '') for (const socket of batch) socket.write(text);
    }
  }

  const listener = async (made: StaticCaller) =>
    (await made.sidecar.json<ClustersView>('/clusters')).listeners[0];

  it('that idle cost under 20 KB each', async function () {
    skipWithoutProc(this);
    const made = await StaticCaller.start([app.port]);
    caller = made;
    await open(100, made.port);
    const before = residentBytes(made.sidecar.pid);
    await open(700, made.port);
    await until(
      async () => (await listener(made))?.connections === 800,
      5000,
      () => 'not all are accepted',
    );
    const grown = residentBytes(made.sidecar.pid) - before;

    expect(grown / 700 / 1024).to.be.lessThan(20);
    expect((await call(made.port)).status).to.equal(200);
  });

  it('beyond its descriptors are refused and counted, the admin API answers, and all is well after', async function () {
    skipWithoutProc(this);
    const made = await StaticCaller.start([app.port], {}, {}, { openFiles: 256 });
    caller = made;
    const base = await made.descriptorsInUse();
    await open(600, made.port, 'GET / HTTP/1.1\r\nHost: orders\r\n\r\n');
    await until(
      async () => ((await listener(made))?.refused ?? 0) >= 500,
      5000,
      () => 'nobody is refused',
    );
    expect((await made.sidecar.get('/readyz')).status).to.equal(200);
    expect(descriptors(made.sidecar.pid)).to.be.lessThan(256);

    for (const client of clients) client.destroy();
    await until(
      async () => (await call(made.port).catch(() => null))?.status === 200,
      2000,
      () => 'it does not serve again',
    );
    await until(
      async () => (await made.descriptorsInUse()) <= base + 3,
      8000,
      () => 'descriptors stay open',
    );
    expect(made.sidecar.output).not.to.contain('a bug in outrigger');
  });

  it('that exhaust its descriptors, its own limit being off, do not end it', async function () {
    skipWithoutProc(this);
    const http = { maxConnections: 100_000 };
    const made = await StaticCaller.start([app.port], {}, { http }, { openFiles: 128 });
    caller = made;
    await open(400, made.port, 'GET / HTTP/1.1\r\nHost: orders\r\n\r\n');
    for (const client of clients) client.destroy();
    await until(
      async () => (await call(made.port).catch(() => null))?.status === 200,
      5000,
      () => `it does not serve again\n${made.sidecar.output}`,
    );
    await made.quiet();

    expect(made.sidecar.output).not.to.contain('a bug in outrigger');
  });

  it('of slow clients leave a steady one alone, and are ended by their limits', async function () {
    const made = await StaticCaller.start(
      [app.port],
      {},
      {
        http: { headTimeoutMs: 1000, bodyIdleTimeoutMs: 1000, stallTimeoutMs: 1000 },
      },
    );
    caller = made;
    const load = new Load(`http://127.0.0.1:${made.port}/`, 100);
    await open(150, made.port, 'GET / HTTP/1.1\r\nHost: or');
    await open(150, made.port, 'POST / HTTP/1.1\r\nHost: orders\r\nContent-Length: 100\r\n\r\nx');
    const slow = [...clients];
    const drip = setInterval(() => {
      for (const client of slow.slice(0, 150)) if (client.writable) client.write('d');
    }, 200);
    for (const client of slow) client.resume();
    await until(
      () => slow.every((client) => client.readableEnded || client.destroyed),
      8000,
      () => `${slow.filter((client) => !client.destroyed).length} slow clients are kept`,
    );
    clearInterval(drip);
    const result = await load.stop();

    expect(result.failed, failures(result)).to.have.length(0);
    expect(result.sent).to.be.greaterThan(50);
    await made.quiet();
  });
});
