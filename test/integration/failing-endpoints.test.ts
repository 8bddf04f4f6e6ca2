import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { freePorts } from '../../sidecar/up/ports.ts';
import { App } from '../support/app.ts';
import { type Answer, call } from '../support/call.ts';
import { RawListener, type RawPeer } from '../support/raw-peer.ts';
import { StaticCaller } from '../support/static-caller.ts';
import { until } from '../support/until.ts';

describe('endpoints that fail', function () {
  this.timeout(15_000);
  let apps: App[];
  let caller: StaticCaller | null;
  let holes: { close(): void }[];

  beforeEach(() => {
    apps = [];
    holes = [];
    caller = null;
  });

  afterEach(async () => {
    await caller?.dispose();
    await Promise.all(apps.map((app) => app.stop()));
    for (const hole of holes) hole.close();
  });

  async function app(name: string, status = 200): Promise<App> {
    const made = await App.start(name, (request, response) => {
      request.resume();
      hits.set(name, (hits.get(name) ?? 0) + 1);
      response.statusCode = state.get(name) ?? status;
      response.end(name);
    });
    apps.push(made);
    return made;
  }
  const hits = new Map<string, number>();
  /** Status that overrides an application's own. */
  const state = new Map<string, number>();
  beforeEach(() => {
    hits.clear();
    state.clear();
  });

  async function start(
    endpoints: readonly (number | string)[],
    upstream: Record<string, unknown> = {},
  ): Promise<StaticCaller> {
    caller = await StaticCaller.start(endpoints, upstream);
    return caller;
  }

  async function calls(count: number, options = {}): Promise<Answer[]> {
    const answers: Answer[] = [];
    for (let i = 0; i < count; i++) answers.push(await call(caller?.port ?? 0, options));
    return answers;
  }

  const ejected = async (): Promise<number> =>
    ((await caller?.cluster())?.endpoints ?? []).filter(({ state: is }) => is === 'ejected').length;

  it('one that answers only 503 is ejected and costs no GET', async () => {
    const [good, better, bad] = [await app('a'), await app('b'), await app('bad', 503)];
    await start([good.port, better.port, bad.port]);
    const answers = await calls(100);

    expect(answers.filter(({ status }) => status !== 200)).to.deep.equal([]);
    expect(hits.get('bad')).to.be.within(1, 10);
    expect(await ejected()).to.equal(1);
  });

  it('one that answers only 503 returns by a trial when it has healed', async () => {
    const [good, better, bad] = [await app('a'), await app('b'), await app('bad', 503)];
    await start([good.port, better.port, bad.port], {
      outliers: { baseEjectionMs: 300, intervalMs: 100 },
    });
    await until(
      async () => (await calls(10)).length > 0 && (await ejected()) === 1,
      5000,
      () => 'it is not ejected',
    );
    state.set('bad', 200);
    await until(
      async () => (await calls(5)).length > 0 && (await ejected()) === 0,
      8000,
      () => 'it does not come back',
    );
    const before = hits.get('bad') ?? 0;
    await until(
      async () => (await calls(20)).length > 0 && (hits.get('bad') ?? 0) > before,
      5000,
      () => 'it gets no traffic',
    );
  });

  it('all of them answering 503 see at most 1.2 times the load, and callers the 503', async () => {
    const both = [await app('a', 503), await app('b', 503)];
    await start(
      both.map(({ port }) => port),
      { retries: { initialTokens: 10, perSecond: 0.2, baseMs: 0 } },
    );
    const answers = await calls(300);
    const sent = [...hits.values()].reduce((sum, count) => sum + count, 0);

    for (const { status, code } of answers) expect([status, code]).to.deep.equal([503, '']);
    expect(sent).to.be.within(300, 360);
  });

  it('a POST is answered with the 503 it got and sent once', async () => {
    const bad = await app('bad', 503);
    await start([bad.port, (await app('a')).port], { balancing: { policy: 'round_robin' } });
    const answers = await calls(4, { method: 'POST', body: 'x' });

    expect(answers.filter(({ status }) => status === 503)).to.have.length(2);
    expect(hits.get('bad')).to.equal(2);
  });

  it('one that accepts and never answers costs a GET the time of a try, a POST an error', async () => {
    const silent = await RawListener.open();
    holes.push(silent);
    const good = await app('a');
    await start([silent.port, good.port], {
      perTryTimeoutMs: 150,
      balancing: { policy: 'round_robin' },
      outliers: { consecutiveLocalOrigin: 0 },
    });
    const gets = await calls(4);
    const posts = await calls(4, { method: 'POST', body: 'x' });

    expect(gets.map(({ status }) => status)).to.deep.equal([200, 200, 200, 200]);
    expect(Math.max(...gets.map(({ tookMs }) => tookMs))).to.be.within(140, 2000);
    expect(posts.map(({ status }) => status).toSorted((a, b) => a - b)).to.deep.equal([
      200, 200, 504, 504,
    ]);
    expect(posts.find(({ status }) => status === 504)?.code).to.equal('per_try_timeout');
    await caller?.quiet();
  });

  it('one whose accept queue is full costs the connect timeout and then is ejected', async function () {
    const full = await fullListener();
    if (full === null) return this.skip();
    holes.push(full);
    await start([full.port, (await app('a')).port, (await app('b')).port], {
      connectTimeoutMs: 100,
    });
    const answers = await calls(40, { method: 'POST', body: 'x' });
    const tried = (await caller?.cluster())?.endpoints.find(({ port }) => port === full.port);

    expect(answers.filter(({ status }) => status !== 200)).to.deep.equal([]);
    expect(tried?.attempts).to.be.within(3, 5);
    expect(await ejected()).to.equal(1);
  });

  it('a connect timeout keeps to the deadline of the caller', async function () {
    const full = await fullListener();
    if (full === null) return this.skip();
    holes.push(full);
    await start([full.port], { connectTimeoutMs: 5000 });
    const [answer] = (await calls(1, { headers: { 'outrigger-timeout-ms': '300' } })) as [Answer];

    expect([answer.status, answer.code]).to.deep.equal([504, 'deadline_exceeded']);
    expect(answer.tookMs).to.be.lessThan(2000);
    await caller?.quiet();
  });

  it('one that breaks off within its response is seen to do so, and not asked again', async () => {
    const begin = 'HTTP/1.1 200 OK\r\n';
    const endings: Readonly<Record<string, (peer: RawPeer) => void>> = {
      '/short': (peer) => {
        peer.send(`${begin}Content-Length: 100\r\n\r\nhalf`);
        peer.socket.end();
      },
      '/unchunked': (peer) => {
        peer.send(`${begin}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`);
        peer.socket.end();
      },
      '/reset': (peer) => {
        peer.socket.write(`${begin}\r\nuntil the end`, () => peer.socket.resetAndDestroy());
      },
    };
    const asked: string[] = [];
    const breaking = await RawListener.open((peer) => {
      peer.socket.on('data', (bytes) => {
        const path = String(bytes).split(' ')[1] as string;
        asked.push(path);
        endings[path]?.(peer);
      });
    });
    holes.push(breaking);
    await start([breaking.port]);
    for (const path of Object.keys(endings)) {
      // A reset may overtake the head as well; what may not come is a whole response that says 200.
      const outcome = await call(caller?.port ?? 0, { path }).catch((error: Error) => error);
      if (!(outcome instanceof Error)) expect([path, outcome.status]).to.deep.equal([path, 502]);
    }
    await caller?.quiet();

    expect(asked.filter((path) => path !== '/reset')).to.deep.equal(['/short', '/unchunked']);
  });

  it('only dead addresses: every call is answered with the reason, and at once', async () => {
    const [one, two, three] = (await freePorts(3)) as [number, number, number];
    await start([one, two, three]);
    const answers = await calls(20);

    for (const { status, code } of answers) {
      expect([status, code]).to.deep.equal([503, 'connection_refused']);
    }
    const cluster = await caller?.cluster();
    expect(cluster?.panic).to.equal(true);
    expect(cluster?.inFlight).to.equal(0);
  });

  it('all ejected and panic off: 503 with the reason, and back when one heals', async () => {
    const [one, two] = (await freePorts(2)) as [number, number];
    await start([one, two], {
      balancing: { panicThreshold: 0 },
      outliers: { baseEjectionMs: 300, intervalMs: 100 },
    });
    await calls(3);
    const [refused] = (await calls(1)) as [Answer];

    expect(refused.code).to.be.oneOf(['no_healthy_upstream', 'connection_refused']);
    expect(await ejected()).to.equal(2);

    const server = await listenOn(one);
    holes.push(server);
    await until(
      async () => (await calls(1))[0]?.status === 200,
      8000,
      () => 'nobody comes back',
    );
  });

  it('one that resets every connection costs no GET, and is ejected', async () => {
    const resetting = await RawListener.open((peer) => {
      peer.socket.once('data', () => peer.socket.resetAndDestroy());
    });
    holes.push(resetting);
    await start([resetting.port, (await app('a')).port, (await app('b')).port]);
    const answers = await calls(60);

    expect(answers.filter(({ status }) => status !== 200)).to.deep.equal([]);
    expect(await ejected()).to.equal(1);
  });
});

async function listenOn(port: number): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

/** A port whose process accepts nothing any more and whose queue is full. Null, said, where that cannot be had. */
async function fullListener(): Promise<{ port: number; close(): void } | null> {
  const script = `const server = require('node:net').createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString('latin1'));
  child.kill('SIGSTOP');
  const fill: Socket[] = [];
  const close = (): void => {
    for (const socket of fill) socket.destroy();
    child.kill('SIGKILL');
  };
  for (let i = 0; i < 16; i++) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    fill.push(socket);
    const connected = await Promise.race([
      once(socket, 'connect').then(() => true),
      new Promise<boolean>((resolve) => setTimeout(resolve, 100, false)),
    ]);
    if (!connected) return { port, close };
  }
  close();
  console.log('      skipped: the queue of a listener does not fill on this system');
  return null;
}
