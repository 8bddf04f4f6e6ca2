import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ConnectionLimit } from '../../../sidecar/listener/connection-limit.ts';
import {
  type AcceptedConnection,
  Listener,
  type ListenOptions,
} from '../../../sidecar/listener/listener.ts';
import type { Peer } from '../../../sidecar/message/head.ts';
import type { Transport } from '../../../sidecar/transport/transport.ts';
import { systemClock } from '../../../telemetry/system-clock.ts';
import { RawPeer } from '../../support/raw-peer.ts';
import { RecordingHandler } from '../../support/recording-handler.ts';
import { readModes } from '../../support/transports.ts';
import { until } from '../../support/until.ts';

const soon = (condition: () => boolean, what: string): Promise<void> =>
  until(condition, 3000, () => what);

/** Echoes; on drain it says so and ends. */
class Echo extends RecordingHandler implements AcceptedConnection {
  idle = true;
  readonly transport: Transport;
  readonly peer: Peer;

  constructor(transport: Transport, peer: Peer) {
    super();
    this.transport = transport;
    this.peer = peer;
    this.onReceived = (bytes) => transport.write(bytes);
    this.onEnded = () => transport.end();
  }

  drain(): void {
    this.transport.write('bye');
    this.transport.end();
  }

  destroy(): void {
    this.transport.destroy();
  }
}

for (const readMode of readModes) {
  describe(`listener, reading by ${readMode}`, () => {
    let served: Echo[];
    let bugs: unknown[];
    let listeners: Listener[];
    let peers: RawPeer[];

    beforeEach(() => {
      served = [];
      bugs = [];
      listeners = [];
      peers = [];
    });
    afterEach(async () => {
      for (const peer of peers) peer.socket.destroy();
      await Promise.all(listeners.map((listener) => listener.close()));
    });

    async function listen(options: Partial<ListenOptions> = {}): Promise<Listener> {
      const listener = await Listener.listen({
        name: 'test',
        host: '127.0.0.1',
        port: 0,
        clock: systemClock,
        readMode,
        onBug: (error) => bugs.push(error),
        accept: (transport, peer) => {
          const echo = new Echo(transport, peer);
          served.push(echo);
          return echo;
        },
        ...options,
      });
      if (listener instanceof Error) throw listener;
      listeners.push(listener);
      return listener;
    }

    async function dial(listener: Listener, from?: string): Promise<RawPeer> {
      const peer = await RawPeer.dial(listener.port, from);
      peers.push(peer);
      return peer;
    }

    it('serves what it accepts and tells who called', async () => {
      const listener = await listen();
      const peer = await dial(listener, '127.0.0.7');
      peer.send('ping');

      await peer.has(4);
      expect(listener.readMode).to.equal(readMode);
      expect(served[0]?.peer).to.deep.equal({
        address: '127.0.0.7',
        port: peer.socket.localPort,
        identity: null,
      });
      expect({ open: listener.open, accepted: listener.accepted }).to.deep.equal({
        open: 1,
        accepted: 1,
      });
    });

    it('counts down when connections close', async () => {
      const listener = await listen();
      const peer = await dial(listener);
      await soon(() => listener.open === 1, 'not accepted');
      peer.socket.end();

      await soon(() => listener.open === 0, 'still counted');
      expect(listener.accepted).to.equal(1);
    });

    it('names IPv4 callers of an IPv6 listener by their IPv4 address', async () => {
      const listener = await listen({ host: '::' });
      await dial(listener, '127.0.0.9');

      await soon(() => served.length === 1, 'not accepted');
      expect(served[0]?.peer.address).to.equal('127.0.0.9');
    });

    it('refuses connections above its cap, and accepts again when one has closed', async () => {
      const listener = await listen({ maxConnections: 2 });
      const first = await dial(listener);
      await dial(listener);
      const third = await dial(listener);
      await soon(() => third.ended || third.closed, 'the third was not refused');
      expect([listener.open, listener.refused]).to.deep.equal([2, 1]);

      first.socket.destroy();
      await soon(() => listener.open === 1, 'still counted');
      const fourth = await dial(listener);
      fourth.send('ping');
      await fourth.has(4);
    });

    it('shares a limit with other listeners', async () => {
      const limit = new ConnectionLimit(1);
      const one = await listen({ maxConnections: limit });
      const other = await listen({ maxConnections: limit });
      await dial(one);
      await soon(() => one.open === 1, 'not accepted');
      const late = await dial(other);

      await soon(() => late.ended || late.closed, 'not refused');
      expect([other.open, other.refused, limit.open]).to.deep.equal([0, 1, 1]);
    });

    it('refuses one source above its cap and goes on serving others', async () => {
      const listener = await listen({ maxConnectionsPerSource: 1 });
      await dial(listener, '127.0.0.2');
      const greedy = await dial(listener, '127.0.0.2');
      const other = await dial(listener, '127.0.0.3');
      other.send('ping');

      await other.has(4);
      await soon(() => greedy.ended || greedy.closed, 'not refused');
      expect([listener.open, listener.refused]).to.deep.equal([2, 1]);
    });

    it('refuses at once while accepting is paused', async () => {
      const listener = await listen();
      const before = await dial(listener);
      await soon(() => listener.open === 1, 'not accepted');
      listener.pauseAccept();
      const during = await dial(listener);
      await soon(() => during.ended || during.closed, 'not refused');
      before.send('ping');
      await before.has(4);

      listener.resumeAccept();
      const after = await dial(listener);
      after.send('ping');
      await after.has(4);
    });

    it('closes its port on stop, and lets connections go on', async () => {
      const listener = await listen();
      const peer = await dial(listener);
      await soon(() => listener.open === 1, 'not accepted');
      listener.stop();
      peer.send('ping');

      await peer.has(4);
      const late = await RawPeer.dial(listener.port).then(
        () => 'connected',
        (error: NodeJS.ErrnoException) => error.code,
      );
      expect(late).to.equal('ECONNREFUSED');
    });

    it('drains the connections it has and those that still come', async () => {
      const listener = await listen();
      const early = await dial(listener);
      await soon(() => listener.open === 1, 'not accepted');
      listener.drain();
      const late = await dial(listener);

      for (const peer of [early, late]) {
        await soon(() => peer.ended, 'not drained');
        expect(peer.text).to.equal('bye');
        peer.socket.end();
      }
      await listener.emptied();
      expect(listener.open).to.equal(0);
    });

    it('counts connections with an exchange under way', async () => {
      const listener = await listen();
      await dial(listener);
      await dial(listener);
      await soon(() => served.length === 2, 'not accepted');
      (served[0] as Echo).idle = false;

      expect(listener.busy).to.equal(1);
    });

    it('drops everything on close', async () => {
      const listener = await listen();
      const peer = await dial(listener);
      await soon(() => listener.open === 1, 'not accepted');
      await listener.close();

      expect(served[0]?.closes).to.equal(1);
      await soon(() => peer.ended || peer.closed, 'the peer was not told');
    });

    it('survives an owner that throws while accepting', async () => {
      const bug = new Error('planted');
      const limit = new ConnectionLimit(1);
      const listener = await listen({
        maxConnections: limit,
        accept: () => {
          throw bug;
        },
      });
      const peer = await dial(listener);

      await soon(() => peer.ended || peer.closed, 'not dropped');
      await soon(() => limit.open === 0, 'still counted');
      expect(bugs).to.deep.equal([bug]);
    });

    it('accepts connections that are reset at once without an error', async () => {
      const listener = await listen();
      for (let i = 0; i < 50; i++) {
        const peer = await dial(listener);
        peer.socket.resetAndDestroy();
      }

      await soon(() => listener.accepted + listener.refused === 50, 'not all accepted');
      await soon(() => listener.open === 0, 'connections leaked');
      expect(bugs).to.deep.equal([]);
    });

    it('goes on when the process runs out of descriptors', async () => {
      const script = fileURLToPath(new URL('./exhaust.ts', import.meta.url));
      const child = spawn(
        'sh',
        ['-c', `ulimit -n 96; exec "${process.execPath}" --import tsx "${script}" ${readMode}`],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      let output = '';
      child.stdout.on('data', (bytes) => {
        output += String(bytes);
      });
      await once(child, 'close');

      expect(child.exitCode).to.equal(0);
      expect(output).to.match(/^echoed again after \d+ connections\n$/);
    }).timeout(20_000);
  });
}

describe('listener that cannot bind', () => {
  const options = {
    name: 'inbound',
    host: '127.0.0.1',
    clock: systemClock,
    accept: (transport: Transport, peer: Peer) => new Echo(transport, peer),
  };

  it('says in one sentence that the port is taken', async () => {
    const first = await Listener.listen({ ...options, port: 0 });
    if (first instanceof Error) throw first;

    const second = await Listener.listen({ ...options, port: first.port });

    expect(second)
      .to.be.instanceOf(Error)
      .with.property(
        'message',
        `inbound: cannot listen on 127.0.0.1:${first.port}: another process uses the port`,
      );
    await first.close();
  });

  it('says that the address is not one of this machine', async () => {
    const result = await Listener.listen({ ...options, host: '192.0.2.1', port: 0 });

    expect(result)
      .to.be.instanceOf(Error)
      .with.property('message')
      .that.matches(/192\.0\.2\.1:0: this machine does not have the address$/);
  });
});
