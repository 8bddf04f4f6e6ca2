import { expect } from 'chai';
import { Failure } from '../../../sidecar/failure.ts';
import { type ConnectOptions, connectTcp } from '../../../sidecar/transport/connect.ts';
import type { TcpTransport } from '../../../sidecar/transport/tcp.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RawListener } from '../../support/raw-peer.ts';
import { RecordingHandler } from '../../support/recording-handler.ts';
import { readModes } from '../../support/transports.ts';
import { until } from '../../support/until.ts';

describe('connecting', () => {
  let origin: RawListener;
  let clock: FakeClock;
  let results: Array<TcpTransport | Failure>;
  let bugs: unknown[];

  beforeEach(async () => {
    origin = await RawListener.open();
    clock = new FakeClock();
    results = [];
    bugs = [];
  });
  afterEach(() => {
    for (const result of results) if (!(result instanceof Failure)) result.destroy();
    origin.close();
  });

  function connect(options: Partial<ConnectOptions> = {}): { cancel(): void } {
    return connectTcp(
      {
        address: '127.0.0.1',
        port: origin.port,
        timeoutMs: 1000,
        clock,
        onBug: (error) => bugs.push(error),
        ...options,
      },
      (result) => results.push(result),
    );
  }

  const settled = (): Promise<void> =>
    until(
      () => results.length > 0,
      3000,
      () => 'not called back',
    );

  for (const readMode of readModes) {
    it(`gives a transport that carries bytes both ways, reading by ${readMode}`, async () => {
      const handler = new RecordingHandler();
      connectTcp(
        {
          address: '127.0.0.1',
          port: origin.port,
          timeoutMs: 1000,
          clock,
          onBug: () => {},
          readMode,
        },
        (result) => {
          results.push(result);
          if (result instanceof Failure) return;
          result.attach(handler);
          result.write('head');
          result.write(Buffer.from('body'));
        },
      );
      const peer = await origin.accepted(1);
      await peer.has(8);
      expect(peer.pieces).to.deep.equal([8]);
      peer.send('answer');

      await until(
        () => handler.text === 'answer',
        3000,
        () => 'no answer',
      );
      expect(clock.pending).to.equal(0);
    });
  }

  it('fails later, never inside the call', async () => {
    connect({ address: 'not-an-address' });
    expect(results).to.have.length(0);
    await Promise.resolve();

    expect(results[0]).to.be.instanceOf(Failure).with.property('code', 'connection_refused');
  });

  it('fails for a port that cannot be', async () => {
    connect({ port: 0 });
    connect({ port: 65_536 });
    await Promise.resolve();

    expect(results.map((result) => result instanceof Failure)).to.deep.equal([true, true]);
  });

  it('is refused where nothing listens, with the errno as evidence', async () => {
    origin.close();
    connect();

    await settled();
    expect(results[0]).to.be.instanceOf(Failure).with.property('code', 'connection_refused');
    expect((results[0] as Failure).evidence).to.include({ errno: 'ECONNREFUSED' });
    expect((results[0] as Failure).detail).to.match(
      /^cannot connect to 127\.0\.0\.1:\d+: nothing listens there$/,
    );
    expect(clock.pending).to.equal(0);
  });

  it('gives up at its timeout and calls back once', async () => {
    connect({ timeoutMs: 500 });
    clock.advance(499);
    expect(results).to.have.length(0);
    clock.advance(1);
    expect((results[0] as Failure).code).to.equal('connect_timeout');
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));

    expect(results).to.have.length(1);
  });

  it('is silent after cancel', async () => {
    const connecting = connect();
    connecting.cancel();
    connecting.cancel();
    clock.advance(10_000);
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));

    expect(results).to.have.length(0);
    expect(clock.pending).to.equal(0);
  });

  it('destroys the connection of an owner that throws, and reports the bug', async () => {
    const bug = new Error('planted');
    connectTcp(
      {
        address: '127.0.0.1',
        port: origin.port,
        timeoutMs: 1000,
        clock,
        onBug: (error) => bugs.push(error),
      },
      () => {
        throw bug;
      },
    );
    const peer = await origin.accepted(1);

    await until(
      () => peer.ended || peer.closed,
      3000,
      () => 'the connection stays open',
    );
    expect(bugs).to.deep.equal([bug]);
  });
});
