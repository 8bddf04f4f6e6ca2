import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { HIGH_WATER_BYTES } from '../../../sidecar/transport/output.ts';
import { READ_BYTES } from '../../../sidecar/transport/read-buffer.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RawListener } from '../../support/raw-peer.ts';
import { RecordingHandler } from '../../support/recording-handler.ts';
import { acceptedPair, dialled, type Pair, readModes } from '../../support/transports.ts';
import { until } from '../../support/until.ts';

const soon = (condition: () => boolean, what: string): Promise<void> =>
  until(condition, 3000, () => what);

for (const readMode of readModes) {
  describe(`tcp transport, reading by ${readMode}`, () => {
    let pair: Pair;
    /** What a test opened beside the pair; closed also when it fails. */
    let opened: Array<() => void | Promise<void>>;
    beforeEach(async () => {
      pair = await acceptedPair(readMode);
      opened = [() => pair.close()];
    });
    afterEach(async () => {
      for (const close of opened) await close();
    });

    it('knows both ends', () => {
      const { transport, peer } = pair;

      expect(transport.remoteAddress).to.equal('127.0.0.1');
      expect(transport.remotePort).to.equal(peer.socket.localPort);
      expect(transport.localPort).to.equal(peer.socket.remotePort);
    });

    it('sends what one read callback wrote in one piece', async () => {
      const { transport, handler, peer } = pair;
      handler.onReceived = (bytes) => {
        transport.write('HTTP/1.1 200 OK\r\n\r\n');
        transport.write(bytes);
        transport.write(Buffer.from('tail'), true);
      };
      peer.send('body');

      await peer.has(27);
      expect(peer.text).to.equal('HTTP/1.1 200 OK\r\n\r\nbodytail');
      expect(peer.pieces).to.deep.equal([27]);
    });

    it('sends what was written outside of a callback in one piece', async () => {
      const { transport, peer } = pair;
      transport.write('a');
      transport.write(Buffer.from('b'));
      transport.write('c');

      await peer.has(3);
      expect(peer.text).to.equal('abc');
      expect(peer.pieces).to.deep.equal([3]);
    });

    it('sends text as latin-1', async () => {
      pair.transport.write('\u00e9\u00ff');

      await pair.peer.has(2);
      expect([...pair.peer.received]).to.deep.equal([0xe9, 0xff]);
    });

    it('copies bytes that are not owned', async () => {
      const { transport, peer } = pair;
      for (const size of [10, 20_000, 200_000]) {
        const bytes = Buffer.alloc(size, 'x');
        transport.write(bytes);
        bytes.fill('y');
      }

      await peer.has(220_010);
      expect(peer.received.includes('y')).to.equal(false);
    });

    it('carries 10,000 small messages one by one', async () => {
      const { transport, handler, peer } = pair;
      let echoed = 0;
      handler.onReceived = (bytes) => {
        echoed += bytes.length;
        transport.write(bytes);
      };
      for (let i = 0; i < 10_000; i++) peer.send(String(i).padStart(8, '0'));

      await peer.has(80_000);
      expect(echoed).to.equal(80_000);
      expect(peer.text.slice(-16)).to.equal('0000999800009999');
    });

    it('loses nothing when pieces of any size pass in both directions', async () => {
      const { transport, handler, peer } = pair;
      const clock = new FakeClock({ seed: 7 });
      const sent = createHash('sha256');
      const seen = createHash('sha256');
      const back = createHash('sha256');
      let seenBytes = 0;
      handler.keep = false;
      handler.onReceived = (bytes) => {
        seen.update(bytes);
        seenBytes += bytes.length;
        const cut = Math.floor(clock.random() * bytes.length);
        transport.write(bytes.subarray(0, cut));
        if (!transport.write(bytes.subarray(cut).toString('latin1'))) transport.pause();
      };
      handler.onDrained = () => transport.resume();
      let total = 0;
      for (let i = 0; i < 200; i++) {
        const length = Math.floor(clock.random() ** 3 * 200_000);
        const bytes = Buffer.alloc(length, Math.floor(clock.random() * 256));
        sent.update(bytes);
        total += length;
        peer.send(bytes);
      }

      await peer.has(total);
      back.update(peer.received);
      const expected = sent.digest('hex');
      expect(seenBytes).to.equal(total);
      expect(seen.digest('hex')).to.equal(expected);
      expect(back.digest('hex')).to.equal(expected);
    });

    it('reads nothing while paused, and everything afterwards', async () => {
      const { transport, handler, peer } = pair;
      handler.onReceived = () => transport.pause();
      peer.send('first');
      await soon(() => handler.reads === 1, 'nothing was read');
      peer.send('second');
      peer.socket.end();
      await soon(() => peer.socket.writableFinished, 'the peer could not send');
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      expect(handler.text).to.equal('first');
      expect(handler.ends).to.equal(0);

      handler.onReceived = () => undefined;
      transport.resume();

      await soon(() => handler.ends === 1, 'the end was lost');
      expect(handler.text).to.equal('firstsecond');
    });

    it('tells the writer to wait for a slow reader, keeping a bounded amount, and when to go on', async () => {
      const { transport, handler, peer } = pair;
      peer.socket.pause();
      const piece = Buffer.alloc(READ_BYTES, 'p');
      let written = 0;
      for (; transport.write(piece); written++) {
        if (written > 1000) throw new Error('a reader that takes nothing was never noticed');
        await new Promise((resolve) => setImmediate(resolve));
      }

      expect(transport.unsent).to.be.greaterThan(HIGH_WATER_BYTES);
      expect(transport.unsent).to.be.at.most(HIGH_WATER_BYTES + 2 * READ_BYTES);
      expect(handler.drains).to.equal(0);

      peer.socket.resume();
      await soon(() => handler.drains === 1, 'it was never told to go on');
      expect(transport.unsent).to.equal(0);
      await peer.has((written + 1) * READ_BYTES);
    });

    it('keeps the order of text, small, large and owned pieces', async () => {
      const { transport, handler, peer } = pair;
      const parts = [
        'head',
        Buffer.from('small'),
        'text between',
        Buffer.alloc(70_000, 'l'),
        't'.repeat(20_000),
        Buffer.alloc(30_000, 'o'),
        'tail',
      ];
      handler.onReceived = () => {
        for (const part of parts) transport.write(part, true);
      };
      peer.send('go');
      const expected = parts.map((part) => part.toString('latin1')).join('');

      await peer.has(expected.length);
      expect(peer.text === expected).to.equal(true);
    });

    it('never reuses memory that the kernel has not taken yet', async () => {
      const other = await acceptedPair(readMode);
      opened.push(() => other.close());
      const { transport, peer } = pair;
      peer.socket.pause();
      let written = 0;
      for (let room = true; room && written < 5000; written++) {
        room = transport.write(Buffer.alloc(10_000, written & 0xff));
        await new Promise((resolve) => setImmediate(resolve));
      }
      for (let i = 0; i < 100; i++) other.transport.write(Buffer.alloc(10_000, 'x'));
      await other.peer.has(1_000_000);
      peer.socket.resume();

      await peer.has(written * 10_000);
      for (let i = 0; i < written; i++) {
        const piece = peer.received.subarray(i * 10_000, (i + 1) * 10_000);
        if (!piece.equals(Buffer.alloc(10_000, i & 0xff))) throw new Error(`piece ${i} is damaged`);
      }
    });

    it('reports a peer that resets while it is written to', async () => {
      const { transport, handler, peer } = pair;
      handler.keep = false;
      handler.onReceived = () => transport.write(Buffer.alloc(READ_BYTES));
      peer.send('go');
      await peer.has(1);
      peer.socket.resetAndDestroy();
      while (transport.write('more')) await new Promise((resolve) => setImmediate(resolve));

      await soon(() => handler.closes === 1, 'not closed');
      expect(handler.error?.code).to.be.oneOf(['ECONNRESET', 'EPIPE']);
    });

    it('sends on after the peer has ended', async () => {
      const { transport, handler, peer } = pair;
      handler.onEnded = () => {
        transport.write('answer');
        transport.end();
      };
      peer.socket.end('question');

      await soon(() => peer.ended, 'no FIN');
      expect(handler.text).to.equal('question');
      expect(peer.text).to.equal('answer');
      await soon(() => handler.closes === 1, 'not closed');
      expect(handler.error).to.equal(null);
    });

    it('reads on after its own end', async () => {
      const { transport, handler, peer } = pair;
      transport.write('question');
      transport.end();
      await soon(() => peer.ended, 'no FIN');
      peer.socket.end('answer');

      await soon(() => handler.closes === 1, 'not closed');
      expect(handler.text).to.equal('answer');
      expect(handler.ends).to.equal(1);
    });

    it('reports a reset once, with its errno', async () => {
      const { handler, peer } = pair;
      peer.socket.resetAndDestroy();

      await soon(() => handler.closes === 1, 'not closed');
      expect(handler.error?.code).to.equal('ECONNRESET');
      expect(handler.ends).to.equal(0);
    });

    it('reports a reset that is seen together with the last bytes as a reset, not as an end', async function () {
      // The fallback has asked for the peer's address before, and Node keeps it.
      if (readMode === 'events') this.skip();
      const { handler, peer } = pair;
      peer.send('the last words');
      peer.socket.resetAndDestroy();

      await soon(() => handler.closes === 1, 'not closed');
      expect(handler.text).to.equal('the last words');
      expect(handler.error?.code).to.equal('ECONNRESET');
      expect(handler.ends).to.equal(0);
    });

    it('reads what a peer said before its reset, though a write finds the reset first', async function () {
      if (readMode === 'events') this.skip();
      const { transport, handler, peer } = pair;
      peer.send('the last words');
      peer.socket.resetAndDestroy();
      transport.write('too late');

      await soon(() => handler.closes === 1, 'not closed');
      expect(handler.text).to.equal('the last words');
      expect(handler.error?.code).to.be.oneOf(['ECONNRESET', 'EPIPE']);
    });

    it('closes when it is reset in the turn of its own end', async () => {
      const { transport, handler } = pair;
      transport.write('all of it');
      transport.end();
      transport.destroy(true);

      await soon(() => handler.closes === 1, 'not closed');
    });

    it('can be reset, so that the peer sees a broken message', async () => {
      const { transport, handler, peer } = pair;
      transport.destroy(true);

      await peer.gone();
      await soon(() => handler.closes === 1, 'not closed');
      expect(peer.error?.code).to.equal('ECONNRESET');
      expect(handler.error).to.equal(null);
    });

    it('ignores every call after destroy', async () => {
      const { transport, handler, peer } = pair;
      transport.write('dropped');
      transport.destroy();

      expect(transport.write('late')).to.equal(false);
      transport.pause();
      transport.resume();
      transport.end();
      transport.destroy(true);
      await soon(() => handler.closes === 1, 'not closed');
      await soon(() => peer.ended, 'the peer was not told');
      expect(peer.text).to.equal('');
    });

    it('destroys the connection of a handler that throws, and reports the bug', async () => {
      const { handler, peer, bugs } = pair;
      const bug = new Error('planted');
      handler.onReceived = () => {
        throw bug;
      };
      peer.send('x');

      await soon(() => peer.ended && handler.closes === 1, 'not closed');
      expect(bugs).to.deep.equal([bug]);
    });

    it('still flushes other connections after a handler has thrown', async () => {
      const other = await acceptedPair(readMode);
      opened.push(() => other.close());
      pair.handler.onReceived = () => {
        throw new Error('planted');
      };
      other.handler.onReceived = () => other.transport.write('alive');
      pair.peer.send('x');
      other.peer.send('y');

      await other.peer.has(5);
      expect(other.peer.text).to.equal('alive');
    });

    it('moves a large message between two sockets with back-pressure and bounded memory', async () => {
      const origin = await RawListener.open();
      opened.push(() => origin.close());
      const upstream = new RecordingHandler();
      upstream.keep = false;
      const source = await dialled(origin.port, upstream, readMode);
      opened.push(() => source.destroy());
      const { transport, handler, peer } = pair;
      let most = 0;
      upstream.onReceived = (bytes) => {
        if (!transport.write(bytes)) source.pause();
        most = Math.max(most, transport.unsent);
      };
      upstream.onEnded = () => transport.end();
      handler.onDrained = () => source.resume();
      const hash = createHash('sha256');
      let taken = 0;
      peer.socket.removeAllListeners('data');
      peer.socket.on('data', (bytes) => {
        hash.update(bytes);
        taken += bytes.length;
        // Takes a piece per turn of the loop only: slower than the sender.
        peer.socket.pause();
        setImmediate(() => peer.socket.resume());
      });
      const body = Buffer.alloc(16 * 1024 * 1024, 'integrity of bytes ');
      const sender = await origin.accepted(1);
      sender.socket.end(body);

      await until(
        () => peer.ended,
        20_000,
        () => `${taken} of ${body.length} bytes`,
      );
      expect(hash.digest('hex')).to.equal(createHash('sha256').update(body).digest('hex'));
      expect(most).to.be.at.most(HIGH_WATER_BYTES + 2 * READ_BYTES);
    }).timeout(30_000);
  });
}
