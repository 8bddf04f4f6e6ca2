import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { App } from '../support/app.ts';
import { call } from '../support/call.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { failures, Load } from '../support/load.ts';
import { skipWithoutProc } from '../support/process-facts.ts';
import { RawListener, RawPeer } from '../support/raw-peer.ts';
import { StaticCaller } from '../support/static-caller.ts';
import { until } from '../support/until.ts';

const BODY = 'x'.repeat(200_000);

describe('clients that misbehave', function () {
  this.timeout(15_000);
  let app: App;
  let caller: StaticCaller;
  /** Requests that the application has begun and not finished. */
  let running: number;

  before(async () => {
    running = 0;
    app = await App.start('orders-1', (request, response) => {
      running++;
      response.once('close', () => running--);
      request.resume();
      request.on('error', () => undefined);
      if (request.url === '/never') return;
      request.on('end', () => response.end(BODY));
    });
    caller = await StaticCaller.start([app.port], { idleTimeoutMs: 60_000 });
  });

  after(async () => {
    await caller.dispose();
    await app.stop();
  });

  it('by leaving at any point leak nothing, and the upstream is told', async function () {
    skipWithoutProc(this);
    const clock = new FakeClock({ seed: 6 });
    await call(caller.port);
    await caller.quiet();
    const base = await caller.descriptorsInUse();
    for (let round = 0; round < 40; round++) {
      await Promise.all(
        Array.from({ length: 25 }, () => leave(caller.port, clock.random(), clock.random())),
      );
    }
    await until(
      () => running === 0,
      5000,
      () => `${running} requests still run at the application`,
    );
    await caller.quiet();
    await until(
      async () => (await caller.descriptorsInUse()) <= base + 3,
      8000,
      () => `${base} descriptors before, more now`,
    );

    expect((await call(caller.port)).body).to.equal(BODY);
    expect(await bugs()).to.equal(0);
  });

  it('by leaving while they wait have their request cancelled at once', async () => {
    const peer = await RawPeer.dial(caller.port);
    peer.send('GET /never HTTP/1.1\r\nHost: orders\r\n\r\n');
    await until(
      () => running === 1,
      3000,
      () => 'the request did not arrive',
    );
    const startMs = performance.now();
    peer.socket.resetAndDestroy();
    await until(
      () => running === 0,
      3000,
      () => 'the application goes on working',
    );

    expect(performance.now() - startMs).to.be.lessThan(1000);
  });

  it('by a reset after any number of bytes cause no error', async () => {
    const request = `POST / HTTP/1.1\r\nHost: orders\r\nContent-Length: 500\r\n\r\n${'y'.repeat(500)}`;
    for (let length = 0; length < 600; length += 25) {
      await Promise.all(
        Array.from({ length: 25 }, async (_, more) => {
          const peer = await RawPeer.dial(caller.port);
          const bytes = request.slice(0, length + more);
          if (bytes !== '') await new Promise((done) => peer.socket.write(bytes, done));
          peer.socket.resetAndDestroy();
        }),
      );
    }
    await caller.quiet();

    expect((await call(caller.port)).status).to.equal(200);
    expect(await bugs()).to.equal(0);
    expect(caller.sidecar.output).not.to.contain('a bug in outrigger');
  });

  it('by half-closing after their request still get the response', async () => {
    const peer = await RawPeer.dial(caller.port);
    peer.send('GET / HTTP/1.1\r\nHost: orders\r\n\r\n');
    peer.socket.end();
    await peer.gone();
    const body = peer.received.subarray(peer.received.indexOf('\r\n\r\n') + 4);

    expect(peer.text).to.match(/^HTTP\/1\.1 200 OK\r\n/);
    expect(hash(body)).to.equal(hash(Buffer.from(BODY)));
  });

  it('by connecting and closing in a storm do not keep others from being served', async () => {
    const load = new Load(`http://127.0.0.1:${caller.port}/`, 50);
    for (let round = 0; round < 20; round++) {
      const storm = Array.from({ length: 100 }, () => connect(caller.port, '127.0.0.1'));
      for (const socket of storm) socket.on('error', () => {});
      await Promise.all(storm.map((socket) => once(socket, 'connect').catch(() => undefined)));
      for (const [i, socket] of storm.entries()) {
        if (i % 2 === 0) socket.destroy();
        else socket.resetAndDestroy();
      }
    }
    await until(
      () => load.sent > 20,
      3000,
      () => 'no load',
    );
    const result = await load.stop();

    expect(result.failed, failures(result)).to.have.length(0);
  });

  it('by sending most of a body that nobody wants still get the answer, and no one else theirs', async () => {
    const rejecting = await RawListener.open((peer) => {
      peer.socket.once('data', () => {
        peer.send('HTTP/1.1 413 Content Too Large\r\nContent-Length: 8\r\n\r\ntoo much');
      });
    });
    const other = await StaticCaller.start([rejecting.port]);
    try {
      const peer = await RawPeer.dial(other.port);
      peer.send('POST / HTTP/1.1\r\nHost: orders\r\nContent-Length: 10000000\r\n\r\n');
      peer.send(Buffer.alloc(100_000, 'z'));
      await until(
        () => peer.text.endsWith('too much'),
        3000,
        () => `got ${peer.text}`,
      );
      expect(peer.text).to.match(/^HTTP\/1\.1 413 Content Too Large\r\n/);
      expect(peer.text.toLowerCase()).to.contain('connection: close');
      await until(
        () => rejecting.peers[0]?.ended === true || rejecting.peers[0]?.closed === true,
        3000,
        () => 'the upstream connection stays open',
      );
      await call(other.port);

      expect(rejecting.peers).to.have.length(2);
      peer.socket.destroy();
    } finally {
      await other.dispose();
      rejecting.close();
    }
  });

  async function bugs(): Promise<number> {
    const { body } = await caller.sidecar.get('/metrics');
    return Number(/^outrigger_bugs_total(?:\{[^}]*\})? (\d+)/m.exec(body)?.[1] ?? 0);
  }
});

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A request that is left after a share of its bytes, or of its response when `share` says so. */
async function leave(port: number, share: number, how: number): Promise<void> {
  const socket: Socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  const body = 'y'.repeat(3000);
  const request = `POST / HTTP/1.1\r\nHost: orders\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const inRequest = share < 0.5;
  const sent = inRequest ? request.slice(0, Math.ceil(share * 2 * request.length)) : request;
  await new Promise((resolve) => socket.write(sent, resolve));
  if (!inRequest) {
    const stopAt = (share - 0.5) * 2 * BODY.length;
    let got = 0;
    await new Promise<void>((resolve) => {
      socket.on('close', () => resolve());
      socket.on('data', (bytes) => {
        got += bytes.length;
        if (got >= stopAt) resolve();
      });
    });
  }
  if (how < 0.4) socket.resetAndDestroy();
  else if (how < 0.8) socket.destroy();
  else {
    socket.end();
    setImmediate(() => socket.destroy());
  }
}
