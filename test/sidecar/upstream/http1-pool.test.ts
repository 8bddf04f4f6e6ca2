import { expect } from 'chai';
import { Failure } from '../../../sidecar/failure.ts';
import { defaultHttp1Limits } from '../../../sidecar/http1/limits.ts';
import { Http1Pool, type Http1PoolOptions } from '../../../sidecar/upstream/http1-pool.ts';
import type { UpstreamResponder } from '../../../sidecar/upstream/upstream.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RawListener, type RawPeer } from '../../support/raw-peer.ts';
import { RecordingRequester } from '../../support/recording-requester.ts';
import { requestHead } from '../../support/request-head.ts';
import { until } from '../../support/until.ts';

const soon = (condition: () => boolean, what: string): Promise<void> =>
  until(condition, 3000, () => what);

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

describe('http1 pool', () => {
  let clock: FakeClock;
  let upstream: RawListener;
  let pools: Http1Pool[];

  beforeEach(async () => {
    clock = new FakeClock();
    upstream = await RawListener.open();
    pools = [];
  });
  afterEach(() => {
    for (const pool of pools) pool.close();
    upstream.close();
  });

  function pooled(options: Partial<Http1PoolOptions> = {}): Http1Pool {
    const pool = new Http1Pool({
      address: '127.0.0.1',
      port: upstream.port,
      clock,
      limits: defaultHttp1Limits,
      ...options,
    });
    pools.push(pool);
    return pool;
  }

  /** One exchange that is answered, on whichever connection carries it. */
  async function exchange(pool: Http1Pool, path: string, answer = OK): Promise<RawPeer> {
    const requester = new RecordingRequester();
    finish(pool.open(requestHead({ path }), requester));
    const peer = await carrier(path);
    peer.send(answer);
    await soon(() => requester.ends === 1, `${path} was not answered`);
    return peer;
  }

  /** The connection on which the request for `path` arrived. */
  async function carrier(path: string): Promise<RawPeer> {
    const carries = (peer: RawPeer): boolean => peer.text.includes(` ${path} HTTP/1.1`);
    await soon(() => upstream.peers.some(carries), `${path} did not arrive`);
    return upstream.peers.find(carries) as RawPeer;
  }

  function finish(responder: UpstreamResponder): UpstreamResponder {
    responder.end(null);
    return responder;
  }

  function code(requester: RecordingRequester): string | null {
    return requester.aborted?.code ?? null;
  }

  it('opens a connection for the first exchange and reuses it for the next', async () => {
    const pool = pooled();
    await exchange(pool, '/1');
    const requester = new RecordingRequester();
    const second = finish(pool.open(requestHead({ path: '/2' }), requester));

    const peer = await carrier('/2');
    expect(upstream.peers).to.have.length(1);
    expect(second.reused).to.equal(true);
    expect(second.openedAt).to.equal(clock.now());
    peer.send(OK);
    await soon(() => requester.body === 'ok', 'no answer');
    expect(pool.stats).to.include({ active: 0, idle: 1, opened: 1, connecting: 0, waiting: 0 });
  });

  it('reuses the connection that became idle last', async () => {
    const pool = pooled();
    const requesters = [new RecordingRequester(), new RecordingRequester()];
    requesters.forEach((requester, i) => {
      finish(pool.open(requestHead({ path: `/${i}` }), requester));
    });
    const [first, second] = [await carrier('/0'), await carrier('/1')];
    second.send(OK);
    await soon(() => pool.stats.idle === 1, 'not idle');
    first.send(OK);
    await soon(() => pool.stats.idle === 2, 'not idle');

    expect(await exchange(pool, '/next')).to.equal(first);
  });

  it('gives an exchange that asks for it a connection that carried no other', async () => {
    const pool = pooled();
    const used = await exchange(pool, '/1');
    const running = new RecordingRequester();
    finish(pool.open(requestHead({ path: '/2' }), running));
    const requester = new RecordingRequester();
    const fresh = finish(pool.open(requestHead({ path: '/3' }), requester, true));
    // Free before the new one is open, and passed over.
    used.send(OK);

    const peer = await carrier('/3');
    expect(peer).not.to.equal(used);
    expect(fresh.reused).to.equal(false);
    peer.send(OK);
    await soon(() => requester.ends === 1 && running.ends === 1, 'not answered');
    expect(pool.stats).to.include({ active: 0, idle: 2, waiting: 0, connecting: 0 });
  });

  it('gives a used connection where there is no room for a fresh one', async () => {
    const pool = pooled({ maxConnections: 1 });
    await exchange(pool, '/1');
    const requester = new RecordingRequester();
    finish(pool.open(requestHead({ path: '/2' }), requester, true));
    (await carrier('/2')).send(OK);

    await soon(() => requester.ends === 1, 'not answered');
    expect(upstream.peers).to.have.length(1);
  });

  it('retires a connection at 80 % of the announced keep-alive time', async () => {
    const pool = pooled();
    const announcing = 'HTTP/1.1 200 OK\r\nkeep-alive: timeout=10\r\ncontent-length: 0\r\n\r\n';
    const first = await exchange(pool, '/1', announcing);
    clock.advance(7999);
    expect(await exchange(pool, '/2', announcing)).to.equal(first);
    expect(pool.stats.learnedIdleMs).to.equal(10_000);
    clock.advance(8000);

    expect(pool.stats.idle).to.equal(0);
    expect(await exchange(pool, '/3')).to.not.equal(first);
    await soon(() => first.ended, 'the old one stays open');
  });

  it('keeps connections for 4 s while it knows nothing', async () => {
    const pool = pooled();
    const first = await exchange(pool, '/1');
    clock.advance(3999);
    expect(pool.stats.idle).to.equal(1);
    clock.advance(1);

    expect(pool.stats.idle).to.equal(0);
    await soon(() => first.ended, 'the old one stays open');
  });

  it('learns how long the peer keeps idle connections from the closes it sees', async () => {
    const pool = pooled();
    for (const path of ['/1', '/2']) {
      const peer = await exchange(pool, path);
      clock.advance(2000);
      peer.socket.end();
      await soon(() => pool.stats.idle === 0, 'the close was not seen');
    }
    expect(pool.stats.learnedIdleMs).to.equal(2000);
    await exchange(pool, '/3');
    clock.advance(1600);

    expect(pool.stats.idle).to.equal(0);
  });

  it('says of a close that met a request how long the connection had been idle, and what was learned', async () => {
    const pool = pooled();
    const announcing = 'HTTP/1.1 200 OK\r\nkeep-alive: timeout=10\r\ncontent-length: 0\r\n\r\n';
    const peer = await exchange(pool, '/1', announcing);
    clock.advance(3000);
    const requester = new RecordingRequester();
    finish(pool.open(requestHead({ path: '/2' }), requester));
    peer.socket.end();

    await soon(() => requester.aborted !== null, 'not told');
    expect(code(requester)).to.equal('keepalive_race');
    expect(requester.aborted?.evidence).to.include({ idle_ms: 3000, learned_idle_ms: 10_000 });
  });

  it('sweeps any number of idle connections with one timer', async () => {
    const pool = pooled();
    const requesters = Array.from({ length: 20 }, () => new RecordingRequester());
    requesters.forEach((requester, i) => {
      finish(pool.open(requestHead({ path: `/${i}/` }), requester));
    });
    for (let i = 0; i < 20; i++) (await carrier(`/${i}/`)).send(OK);
    await soon(() => pool.stats.idle === 20, 'not idle');

    expect(clock.pending).to.equal(1);
    clock.advance(4000);
    expect(pool.stats.idle).to.equal(0);
    expect(clock.pending).to.equal(0);
  });

  it('retires connections at their age, each a little earlier than the limit', async () => {
    const pool = pooled({ maxAgeMs: 1000, ageJitter: 0.5 });
    const first = await exchange(pool, '/1');
    clock.advance(499);
    expect(await exchange(pool, '/2')).to.equal(first);
    clock.advance(501);

    expect(await exchange(pool, '/3')).to.not.equal(first);
  });

  it('lets exchanges wait at its limit, and serves them in the order of their coming', async () => {
    const pool = pooled({ maxConnections: 1 });
    const requesters = ['/1', '/2', '/3'].map((path) => {
      const requester = new RecordingRequester();
      finish(pool.open(requestHead({ path }), requester));
      return requester;
    });
    const peer = await carrier('/1');
    expect(pool.stats.waiting).to.equal(2);
    peer.send(OK);
    expect(await carrier('/2')).to.equal(peer);
    expect(peer.text).to.not.include('/3');
    peer.send(OK);
    await carrier('/3');
    peer.send(OK);

    await soon(() => requesters.every(({ ends }) => ends === 1), 'not all were answered');
    expect(upstream.peers).to.have.length(1);
  });

  it('refuses above the waiting limit, naming limit, value and key, after open has returned', async () => {
    const pool = pooled({ maxConnections: 1, maxWaiting: 1 });
    const [, waits, refused] = ['/1', '/2', '/3'].map((path) => {
      const requester = new RecordingRequester();
      pool.open(requestHead({ path }), requester);
      expect(requester.aborted).to.equal(null);
      return requester;
    }) as [RecordingRequester, RecordingRequester, RecordingRequester];
    await Promise.resolve();

    expect(code(refused)).to.equal('overflow');
    expect(refused.aborted?.evidence).to.include({
      limit: 'maxWaiting',
      value: 1,
      key: 'limits.maxWaiting',
      max_connections: 1,
    });
    expect(waits.aborted).to.equal(null);
  });

  it('does not count exchanges whose connection is being opened against the waiting limit', async () => {
    const pool = pooled({ maxConnections: 8, maxWaiting: 0 });
    const requesters = Array.from({ length: 8 }, () => new RecordingRequester());
    for (const requester of requesters) finish(pool.open(requestHead(), requester));

    await upstream.accepted(8);
    expect(requesters.map(code)).to.deep.equal(Array.from({ length: 8 }, () => null));
  });

  it('ends a wait that takes too long', async () => {
    const pool = pooled({ maxConnections: 1, queueTimeoutMs: 300 });
    const first = new RecordingRequester();
    finish(pool.open(requestHead({ path: '/1' }), first));
    const peer = await carrier('/1');
    clock.advance(100);
    const second = new RecordingRequester();
    finish(pool.open(requestHead({ path: '/2' }), second));
    clock.advance(299);
    expect(second.aborted).to.equal(null);
    clock.advance(1);

    expect(code(second)).to.equal('queue_timeout');
    expect(second.aborted?.evidence).to.include({ waited_ms: 300, key: 'limits.queueTimeoutMs' });
    expect(pool.stats.waiting).to.equal(0);
    peer.send(OK);
    await soon(() => first.ends === 1, 'the running one was harmed');
  });

  it('frees the place of an exchange that is aborted while it waits', async () => {
    const pool = pooled({ maxConnections: 1, maxWaiting: 1 });
    finish(pool.open(requestHead({ path: '/1' }), new RecordingRequester()));
    const aborted = new RecordingRequester();
    const waiting = finish(pool.open(requestHead({ path: '/2' }), aborted));
    waiting.abort(new Failure('downstream_closed'));
    waiting.abort(new Failure('downstream_closed'));
    expect(pool.stats.waiting).to.equal(1);
    const third = new RecordingRequester();
    finish(pool.open(requestHead({ path: '/3' }), third));
    (await carrier('/1')).send(OK);

    (await carrier('/3')).send(OK);
    await soon(() => third.ends === 1, 'not answered');
    expect(upstream.peers[0]?.text).to.not.include('/2');
    expect(aborted.aborted).to.equal(null);
  });

  it('gives up a connection that is being opened for an aborted exchange', async () => {
    const pool = pooled();
    const requester = new RecordingRequester();
    const responder = pool.open(requestHead(), requester);
    expect(pool.stats).to.include({ connecting: 1, waiting: 1 });
    responder.abort(new Failure('downstream_closed'));

    expect(pool.stats).to.include({ connecting: 0, waiting: 0, opened: 0 });
    expect(clock.pending).to.equal(0);
    await exchange(pool, '/next');
    expect(requester.aborted).to.equal(null);
  });

  it('fails as connection_refused when nothing listens', async () => {
    const { port } = upstream;
    upstream.close();
    const requester = new RecordingRequester();
    const pool = pooled({ port });
    pool.open(requestHead(), requester);

    await soon(() => requester.aborted !== null, 'not told');
    expect(code(requester)).to.equal('connection_refused');
    expect(requester.aborted?.evidence).to.deep.equal({
      address: '127.0.0.1',
      port,
      errno: 'ECONNREFUSED',
    });
    expect(pool.stats).to.include({ connecting: 0, waiting: 0, active: 0 });
  });

  it('reports a refusal by another code where one is set', async () => {
    const { port } = upstream;
    upstream.close();
    const requester = new RecordingRequester();
    pooled({ port, refusedCode: 'app_unreachable' }).open(requestHead(), requester);

    await soon(() => requester.aborted !== null, 'not told');
    expect(code(requester)).to.equal('app_unreachable');
  });

  it('fails as connect_timeout when the connection takes too long', async () => {
    const pool = pooled({ connectTimeoutMs: 200 });
    const requester = new RecordingRequester();
    pool.open(requestHead(), requester);
    clock.advance(199);
    expect(requester.aborted).to.equal(null);
    clock.advance(1);

    expect(code(requester)).to.equal('connect_timeout');
    expect(pool.stats.connecting).to.equal(0);
  });

  it('sends the body that came while connecting right behind the head', async () => {
    const pool = pooled();
    const requester = new RecordingRequester();
    const head = requestHead({ method: 'POST', path: '/up', contentLength: 8, ended: false });
    const responder = pool.open(head, requester);
    const bytes = Buffer.from('half');
    expect(responder.data(bytes)).to.equal(true);
    bytes.fill('x');
    responder.data(Buffer.from('full'));
    responder.end(null);

    const peer = await carrier('/up');
    await soon(() => peer.text.endsWith('halffull'), 'the body did not arrive');
    expect(peer.pieces).to.have.length(1);
  });

  it('holds back a large body while connecting and asks for more afterwards', async () => {
    const pool = pooled();
    const requester = new RecordingRequester();
    const head = requestHead({ method: 'PUT', path: '/up', contentLength: 90_000, ended: false });
    const responder = pool.open(head, requester);
    expect(responder.data(Buffer.alloc(60_000))).to.equal(true);
    expect(responder.data(Buffer.alloc(20_000))).to.equal(false);
    await soon(() => requester.resumed === 1, 'never asked for more');
    responder.data(Buffer.alloc(10_000, 'z'));
    responder.end(null);

    const peer = await carrier('/up');
    await soon(() => peer.text.endsWith('z'.repeat(10_000)), 'the body is incomplete');
  });

  it('opens another connection when the peer has closed the idle one', async () => {
    const pool = pooled();
    const first = await exchange(pool, '/1');
    first.socket.end();
    const requester = new RecordingRequester();
    while (pool.stats.idle > 0) await new Promise((resolve) => setImmediate(resolve));
    finish(pool.open(requestHead({ path: '/2' }), requester));

    (await carrier('/2')).send(OK);
    await soon(() => requester.ends === 1, 'not answered');
    expect(upstream.peers).to.have.length(2);
  });

  it('survives a peer that closes idle connections at any moment', async () => {
    const races: string[] = [];
    const random = new FakeClock({ seed: 11 });
    const counts = new Map<string, number>();
    const serve = (peer: RawPeer): void => {
      peer.socket.on('data', (bytes) => {
        const path = String(bytes).split(' ')[1] as string;
        counts.set(path, (counts.get(path) ?? 0) + 1);
        peer.send(OK);
        const turns = Math.floor(random.random() * 8);
        if (turns < 4) closeAfter(peer, turns);
      });
    };
    upstream.close();
    upstream = await RawListener.open(serve);
    const pool = pooled();
    for (let i = 0; i < 300; i++) {
      for (;;) {
        const requester = new RecordingRequester();
        finish(pool.open(requestHead({ path: `/${i}` }), requester));
        while (requester.ends === 0 && requester.aborted === null)
          await new Promise((resolve) => setImmediate(resolve));
        if (requester.aborted === null) {
          expect(requester.body).to.equal('ok');
          break;
        }
        races.push(requester.aborted.code);
      }
      if (i % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
    }

    expect(races.filter((race) => race !== 'keepalive_race')).to.deep.equal([]);
    expect(counts.size).to.equal(300);
    expect(pool.stats.active).to.equal(0);
  });

  it('closes idle connections and finishes running exchanges on close', async () => {
    const pool = pooled();
    const running = new RecordingRequester();
    finish(pool.open(requestHead({ path: '/1' }), running));
    const busy = await carrier('/1');
    const idle = await exchange(pool, '/2');
    pool.close();
    await soon(() => idle.ended, 'an idle connection stays open');
    busy.send(OK);

    await soon(() => busy.ended, 'the connection stays open');
    expect(running.body).to.equal('ok');
    const late = new RecordingRequester();
    pool.open(requestHead(), late);
    await Promise.resolve();
    expect(code(late)).to.equal('connection_refused');
    expect(clock.pending).to.equal(0);
  });

  it('resolves the name of an endpoint when connecting', async () => {
    const pool = pooled({ address: 'localhost' });

    await exchange(pool, '/1');
    expect(pool.stats).to.include({ opened: 1, idle: 1 });
  });

  it('fails as dns_failure when the name does not resolve', async () => {
    const requester = new RecordingRequester();
    const pool = pooled({ address: 'not a name', connectTimeoutMs: 200 });
    pool.open(requestHead(), requester);

    await soon(() => requester.aborted !== null, 'not told');
    expect(code(requester)).to.equal('dns_failure');
    expect(pool.stats).to.include({ connecting: 0, waiting: 0 });
  });

  it('counts an exchange whose requester leaves as over, and never reuses its connection', async () => {
    const pool = pooled();
    const responder = finish(pool.open(requestHead({ path: '/1' }), new RecordingRequester()));
    const peer = await carrier('/1');
    responder.abort(new Failure('downstream_closed'));

    await soon(() => pool.stats.active === 0, 'still counted');
    await soon(() => peer.ended || peer.closed, 'the upstream was not cancelled');
    expect(pool.stats.idle).to.equal(0);
  });
});

function closeAfter(peer: RawPeer, turns: number): void {
  if (turns === 0) peer.socket.end();
  else setImmediate(closeAfter, peer, turns - 1);
}
