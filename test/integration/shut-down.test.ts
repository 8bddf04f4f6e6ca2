import type { ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { expect } from 'chai';
import type { ClustersView } from '../../sidecar/admin/views.ts';
import { freePorts } from '../../sidecar/up/ports.ts';
import { App } from '../support/app.ts';
import { type Answer, call } from '../support/call.ts';
import { FakeConsul } from '../support/fake-consul.ts';
import { RawPeer } from '../support/raw-peer.ts';
import { SidecarProcess } from '../support/sidecar-process.ts';
import { until } from '../support/until.ts';

describe('a sidecar that is told to end', function () {
  this.timeout(15_000);
  let consul: FakeConsul;
  let app: App;
  let other: App;
  let inbound: number;
  let outbound: number;
  let sidecar: SidecarProcess | null;
  /** Requests for /held, which the application answers when the test says so. */
  let held: ServerResponse[];

  beforeEach(async () => {
    held = [];
    sidecar = null;
    consul = await FakeConsul.start();
    app = await App.start('orders-1', (request, response) => {
      if (request.url === '/held') held.push(response);
      else response.end('ok');
    });
    other = await App.start('stock-1');
    [inbound, outbound] = (await freePorts(2)) as [number, number];
  });

  afterEach(async () => {
    await sidecar?.dispose();
    await app.stop();
    await other.stop();
    await consul.down();
  });

  function config(drain: { delayMs: number; timeoutMs: number }): Record<string, unknown> {
    return {
      service: { name: 'orders', id: 'orders-1', address: '127.0.0.1' },
      inbound: { host: '127.0.0.1', port: inbound, appPort: app.port },
      consul: { address: consul.address, checkTtlMs: 3000 },
      drain,
      upstreams: [
        {
          service: 'stock',
          port: outbound,
          resolver: 'static',
          endpoints: [`127.0.0.1:${other.port}`],
        },
      ],
    };
  }

  async function start(
    drain: { delayMs: number; timeoutMs: number },
    command: readonly string[] = [],
  ): Promise<SidecarProcess> {
    const started = await SidecarProcess.start(config(drain), { command });
    sidecar = started;
    await until(
      () => consul.registered.has('orders-1'),
      5000,
      () => `it does not register\n${started.output}`,
    );
    return started;
  }

  it('leaves in order: registry, delay, inbound, running requests, outbound', async () => {
    const running = await start({ delayMs: 1000, timeoutMs: 10_000 });
    const slow = call(inbound, { path: '/held' });
    await until(
      () => held.length === 1,
      3000,
      () => 'the request did not arrive',
    );
    running.signal('SIGTERM');
    await until(
      () => consul.inMaintenance.has('orders-1'),
      3000,
      () => 'no maintenance in the registry',
    );
    const during = await call(inbound);
    const ready = await running.get('/readyz');

    expect(during.status).to.equal(200);
    expect(ready.status).to.equal(503);
    expect(JSON.parse(ready.body)).to.include({ state: 'draining' });

    await until(
      () => closed(inbound),
      5000,
      () => 'the inbound port stays open',
    );
    expect(consul.registered.has('orders-1')).to.equal(true);
    expect((await call(outbound)).status).to.equal(200);

    held[0]?.end('late');
    const late = await slow;

    expect(late.body).to.equal('late');
    expect(late.headers.connection).to.equal('close');
    expect(await running.exited).to.equal(0);
    expect(consul.registered.has('orders-1')).to.equal(false);
    expect(order(consul)).to.deep.equal(['register', 'maintenance', 'deregister']);
  });

  it('finishes what ends in time, cuts the rest, says how many, and ends well', async () => {
    const running = await start({ delayMs: 0, timeoutMs: 1000 });
    const each = 50;
    const short = Array.from({ length: each }, () => call(inbound, { path: '/held' }));
    await until(
      () => held.length === each,
      3000,
      () => 'the requests did not arrive',
    );
    const endless = Array.from({ length: each }, () => call(inbound, { path: '/held' }));
    const cut = Promise.allSettled(endless);
    await until(
      () => held.length === 2 * each,
      3000,
      () => 'the requests did not arrive',
    );
    running.signal('SIGTERM');
    await until(
      () => closed(inbound),
      3000,
      () => 'the inbound port stays open',
    );
    for (const response of held.slice(0, each)) response.end('in time');

    for (const { body } of await Promise.all(short)) expect(body).to.equal('in time');
    expect(await running.exited).to.equal(0);
    for (const { status } of await cut) expect(status).to.equal('rejected');
    expect(running.output).to.match(/"requests":50[,}].*did not end in time/);
    expect(consul.registered.size).to.equal(0);
  });

  it('is faster at the second signal, and leaves the registry all the same', async () => {
    const running = await start({ delayMs: 60_000, timeoutMs: 60_000 });
    call(inbound, { path: '/held' }).catch(() => undefined);
    running.signal('SIGTERM');
    await until(
      () => consul.inMaintenance.has('orders-1'),
      3000,
      () => 'no maintenance in the registry',
    );
    running.signal('SIGTERM');

    expect(await running.exited).to.equal(0);
    expect(consul.registered.size).to.equal(0);
  });

  it('ends at the second signal also when the registry hangs', async () => {
    const running = await start({ delayMs: 60_000, timeoutMs: 60_000 });
    // A listener that accepts, reads and never answers takes the place of the registry.
    await consul.down();
    const hole = createServer((socket) => socket.on('error', () => {}).resume());
    const port = Number(consul.address.split(':')[1]);
    await new Promise<void>((resolve) => hole.listen(port, '127.0.0.1', resolve));
    running.signal('SIGTERM');
    await until(
      () => running.output.includes('leaving the registry'),
      3000,
      () => 'it does not begin to end',
    );
    running.signal('SIGTERM');
    const startMs = performance.now();
    const code = await running.exited;
    const tookMs = performance.now() - startMs;
    hole.close();

    expect(code).to.equal(0);
    expect(tookMs).to.be.lessThan(4000);
  });

  it('during its start leaves nothing behind', async () => {
    const early = await SidecarProcess.start(config({ delayMs: 0, timeoutMs: 500 }), {
      ready: false,
    });
    sidecar = early;
    await until(
      () => consul.requests.some(({ path }) => path.endsWith('/service/register')),
      5000,
      () => 'it does not start',
    );
    const code = await early.terminate();

    expect(code).to.equal(0);
    expect(consul.registered.size).to.equal(0);
    expect(await closed(inbound)).to.equal(true);
  });

  it('gives a slow reader of an outbound response all of it', async () => {
    // More than the reader's kernel takes unread, less than both kernels take: ours holds the rest.
    const body = 'x'.repeat(1_000_000);
    await other.stop();
    other = await App.start('stock-1', (_, response) => response.end(body));
    const running = await start({ delayMs: 0, timeoutMs: 10_000 });
    const slow = await slowly(outbound);
    await until(
      async () => {
        const { clusters } = await running.json<ClustersView>('/clusters');
        return clusters.some(({ name, requests }) => name === 'stock' && requests === 1);
      },
      3000,
      () => 'the response does not end',
    );
    running.signal('SIGTERM');
    await until(
      () => closed(outbound),
      5000,
      () => 'the outbound port stays open',
    );
    const bytes = await slow();

    expect(bytes).to.be.greaterThan(body.length);
    expect(await running.exited).to.equal(0);
  });

  it('keeps outbound open for its command, ends it last and with its code', async () => {
    const script = `
      process.on('SIGTERM', async () => {
        const answer = await fetch('http://' + process.env.OUTRIGGER_UPSTREAM_STOCK);
        console.log('COMMAND heard the signal, outbound says ' + answer.status);
        process.exit(7);
      });
      setInterval(() => {}, 1000);
      console.log('COMMAND runs');`;
    const running = await start({ delayMs: 300, timeoutMs: 5000 }, [
      process.execPath,
      '-e',
      script,
    ]);
    await until(
      () => running.output.includes('COMMAND runs'),
      5000,
      () => 'the command does not start',
    );
    const code = await running.terminate();

    expect(running.output).to.contain('COMMAND heard the signal, outbound says 200');
    expect(code).to.equal(7);
    expect(order(consul)).to.deep.equal(['register', 'maintenance', 'deregister']);
  });

  it('ends when its command does, with its code and in the same order', async () => {
    const command = [process.execPath, '-e', 'setTimeout(() => process.exit(3), 800)'];
    const running = await start({ delayMs: 0, timeoutMs: 1000 }, command);

    expect(await running.exited).to.equal(3);
    expect(order(consul)).to.deep.equal(['register', 'maintenance', 'deregister']);
  });
});

/** What it asked of the registry for itself, in order. */
function order(consul: FakeConsul): string[] {
  return consul.requests
    .map(({ path }) => /^\/v1\/agent\/service\/(\w+)/.exec(path)?.[1] ?? '')
    .filter((verb) => verb !== '');
}

async function closed(port: number): Promise<boolean> {
  const answer: Answer | Error = await call(port, { limitMs: 2000 }).catch((error: Error) => error);
  return answer instanceof Error && (answer as NodeJS.ErrnoException).code === 'ECONNREFUSED';
}

/** Asks and reads nothing; the returned function reads on to the end and tells how many bytes came. */
async function slowly(port: number): Promise<() => Promise<number>> {
  const peer = await RawPeer.dial(port);
  peer.socket.pause();
  peer.send('GET / HTTP/1.1\r\nHost: stock\r\n\r\n');
  await until(
    () => peer.socket.bytesWritten > 0,
    3000,
    () => 'the request does not leave',
  );
  return async () => {
    peer.socket.resume();
    await until(
      () => peer.ended || peer.closed,
      8000,
      () => `the response does not end after ${peer.receivedBytes} bytes`,
    );
    peer.socket.destroy();
    return peer.receivedBytes;
  };
}
