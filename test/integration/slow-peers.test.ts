import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { call } from '../support/call.ts';
import { residentBytes, skipWithoutProc } from '../support/process-facts.ts';
import { RawListener, type RawPeer } from '../support/raw-peer.ts';
import { StaticCaller } from '../support/static-caller.ts';
import { until } from '../support/until.ts';

const PEERS = 50;
const MEGABYTE = 1_048_576;
const PIECE = Buffer.alloc(65_536, 'x');

/** Writes for as long as it is taken. */
function pour(socket: Socket): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(PIECE)) {}
  };
  socket.on('drain', more);
  more();
}

describe('peers that take their time', function () {
  this.timeout(15_000);
  let upstream: RawListener;
  let caller: StaticCaller;
  let clients: Socket[];
  let poured: number;
  let onRequest: (peer: RawPeer) => void;

  beforeEach(async function () {
    skipWithoutProc(this);
    clients = [];
    onRequest = () => undefined;
    upstream = await RawListener.open((peer) => peer.socket.on('data', () => onRequest(peer)));
    caller = await StaticCaller.start([upstream.port], { idleTimeoutMs: 1500 });
  });

  afterEach(async () => {
    for (const client of clients) client.destroy();
    upstream?.close();
    await caller?.dispose();
  });

  /** That many clients that have sent `head`; what they are sent is read only if they are told to. */
  async function ask(head: string): Promise<void> {
    clients = Array.from({ length: PEERS }, () => connect(caller.port, '127.0.0.1').pause());
    for (const client of clients) client.on('error', () => {});
    await Promise.all(clients.map((client) => once(client, 'connect')));
    for (const client of clients) client.write(head);
  }

  /** Waits until no more bytes move, and returns how many did. */
  async function still(moved: () => number): Promise<number> {
    let last = -1;
    let since = performance.now();
    await until(
      () => {
        const now = moved();
        if (now !== last) since = performance.now();
        last = now;
        return now > 0 && performance.now() - since > 300;
      },
      10_000,
      () => 'bytes go on moving',
    );
    return last;
  }

  const growth = (before: number): number =>
    (residentBytes(caller.sidecar.pid) - before) / MEGABYTE;

  it('as readers stop the upstream, and hold little memory', async () => {
    onRequest = (peer) => {
      peer.send('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n');
      pour(peer.socket);
    };
    const before = residentBytes(caller.sidecar.pid);
    await ask('GET / HTTP/1.1\r\nHost: orders\r\n\r\n');
    poured = await still(() =>
      upstream.peers.reduce(
        (sum, { socket }) => sum + socket.bytesWritten - socket.writableLength,
        0,
      ),
    );

    expect(poured / PEERS).to.be.lessThan(20 * MEGABYTE);
    expect(growth(before)).to.be.lessThan(PEERS);

    for (const client of clients) client.destroy();
    await caller.quiet();
  });

  it('as upstreams stop those who upload, and hold little memory', async () => {
    onRequest = (peer) => peer.socket.pause();
    const before = residentBytes(caller.sidecar.pid);
    await ask('POST / HTTP/1.1\r\nHost: orders\r\nContent-Length: 1000000000\r\n\r\n');
    for (const client of clients) pour(client);
    poured = await still(() =>
      clients.reduce((sum, socket) => sum + socket.bytesWritten - socket.writableLength, 0),
    );

    expect(poured / PEERS).to.be.lessThan(20 * MEGABYTE);
    expect(growth(before)).to.be.lessThan(PEERS);

    // Whoever leaves now is not heard, as nothing is read from them: silence ends their requests.
    for (const client of clients) client.destroy();
    await caller.quiet();
  });

  it('do not keep the admin API or other clients from being answered', async () => {
    onRequest = (peer) => {
      peer.send('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n');
      pour(peer.socket);
    };
    await ask('GET / HTTP/1.1\r\nHost: orders\r\n\r\n');
    // Half of them read as fast as they can, so that the sidecar has all hands full.
    for (const client of clients.slice(0, PEERS / 2)) client.resume();
    const asked = await Promise.all([
      caller.sidecar.get('/readyz'),
      caller.sidecar.get('/clusters'),
      caller.sidecar.get('/metrics'),
      caller.sidecar.get('/config'),
    ]);
    onRequest = (peer) => peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');

    expect(asked.map(({ status }) => status)).to.deep.equal([200, 200, 200, 200]);
    expect((await call(caller.port)).body).to.equal('ok');
  });
});
