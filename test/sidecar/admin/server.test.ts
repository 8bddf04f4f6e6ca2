import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { Script } from 'node:vm';
import { expect } from 'chai';
import { AdminServer } from '../../../sidecar/admin/server.ts';
import type { Log } from '../../../telemetry/log.ts';
import { FakeSource, spanView } from './source.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

describe('admin API', () => {
  let source: FakeSource;
  let server: AdminServer;
  let port: number;
  let logged: string[];
  beforeEach(async () => {
    source = new FakeSource();
    logged = [];
    const note = (_fields: object, message: string) => void logged.push(message);
    const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log };
    server = new AdminServer(source, { host: '127.0.0.1', port: 0 }, log);
    ({ port } = await server.start());
  });
  afterEach(() => server.close());

  function ask(
    path: string,
    method = 'GET',
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        { host: '127.0.0.1', port, path, method, headers, agent: false },
        (response) => {
          let body = '';
          response.setEncoding('utf8');
          response.on('data', (piece: string) => (body += piece));
          response.once('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
          );
        },
      );
      outgoing.once('error', reject);
      outgoing.end();
    });
  }

  /** Sends bytes and reads until the connection closes. */
  function raw(bytes: string): Promise<string> {
    return new Promise((resolve) => {
      let received = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
      socket.on('data', (piece) => {
        received += piece.toString('latin1');
      });
      socket.on('error', () => undefined);
      socket.once('close', () => resolve(received));
    });
  }

  const json = (answer: Answer): Record<string, unknown> =>
    JSON.parse(answer.body) as Record<string, unknown>;

  it('is alive while it waits, and ready only when it is', async () => {
    source.ready_ = false;

    expect((await ask('/healthz')).status).to.equal(200);
    const ready = await ask('/readyz');
    expect(ready.status).to.equal(503);
    expect(json(ready)).to.deep.equal({
      state: 'starting',
      ready: false,
      waitingFor: ['no answer from Consul about orders yet'],
    });

    source.ready_ = true;
    expect((await ask('/readyz')).status).to.equal(200);
  });

  it('serves metrics as text', async () => {
    const { headers, body } = await ask('/metrics');

    expect(headers['content-type']).to.equal('text/plain; version=0.0.4; charset=utf-8');
    expect(body).to.contain('outrigger_config_generation 3\n');
  });

  it('serves the views as they are', async () => {
    expect(json(await ask('/clusters'))).to.deep.equal(source.clusters());
    expect(json(await ask('/config'))).to.deep.equal(source.config());
  });

  it('serves one cluster when asked for one', async () => {
    expect(json(await ask('/clusters?service=orders'))).to.deep.equal(source.clusters());
    expect((await ask('/clusters?service=stock')).status).to.equal(404);
  });

  it('hands limit and trace on, and refuses what is neither', async () => {
    source.spans = [spanView({}), spanView({ traceId: 'b'.repeat(32) })];

    const { spans } = json(await ask(`/traces?limit=5&trace=${'b'.repeat(32)}`));
    await ask('/traces');

    expect(spans).to.have.length(1);
    expect(source.calls).to.deep.equal([`traces 5 ${'b'.repeat(32)}`, 'traces 500 null']);
    for (const query of [
      'limit=0',
      'limit=-1',
      'limit=1e9',
      'trace=x',
      `trace=${'B'.repeat(32)}`,
    ]) {
      expect((await ask(`/traces?${query}`)).status).to.equal(400);
    }
  });

  it('drains and quits when told to by POST only', async () => {
    const refused = await ask('/drain');
    expect(refused.status).to.equal(405);
    expect(refused.headers['allow']).to.equal('POST');
    expect((await ask('/quitquitquit')).status).to.equal(405);
    expect(source.calls).to.deep.equal([]);

    expect((await ask('/drain', 'POST')).status).to.equal(202);
    expect((await ask('/quitquitquit', 'POST')).status).to.equal(202);

    for (let left = 100; left > 0 && source.calls.length < 2; left--) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(source.calls).to.deep.equal(['drain', 'quit']);
  });

  it('answers what it does not know with JSON', async () => {
    const answer = await ask('/nothing');

    expect(answer.status).to.equal(404);
    expect(answer.headers['content-type']).to.equal('application/json; charset=utf-8');
    expect(json(answer)).to.include({ status: 404 });
    expect((await ask('/clusters', 'DELETE')).status).to.equal(405);
    expect((await ask('//evil.example/clusters')).status).to.equal(404);
  });

  it('refuses a Host that is not loopback, as after DNS rebinding', async () => {
    const foreign = [
      'evil.example',
      'evil.example:15000',
      '127.0.0.1.evil.example',
      '10.0.0.1',
      'localhost@x',
    ];
    for (const host of foreign) {
      const answer = await ask('/config', 'GET', { host });
      expect(answer.status, host).to.equal(403);
      expect(answer.body).to.not.contain('generation');
    }
    for (const host of ['localhost', `LOCALHOST:${port}`, '127.0.0.9:1', '[::1]:15000']) {
      expect((await ask('/config', 'GET', { host })).status, host).to.equal(200);
    }
  });

  it('refuses a request without a Host', async () => {
    for (const head of ['GET /config HTTP/1.1\r\nHost: \r\n\r\n', 'GET /config HTTP/1.0\r\n\r\n']) {
      expect(await raw(head)).to.match(/^HTTP\/1\.1 403 /);
    }
  });

  it('takes no command from a page of another origin', async () => {
    const cases: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
    ];

    for (const headers of cases) {
      expect((await ask('/drain', 'POST', headers)).status).to.equal(403);
    }
    expect(source.calls).to.deep.equal([]);
    const own = { origin: `http://127.0.0.1:${port}`, 'sec-fetch-site': 'same-origin' };
    expect((await ask('/drain', 'POST', own)).status).to.equal(202);
  });

  it('shows a page that loads nothing from elsewhere', async () => {
    const { headers, body } = await ask('/');

    expect(headers['content-type']).to.equal('text/html; charset=utf-8');
    expect(headers['content-security-policy']).to.match(/^default-src 'none'; style-src 'sha256-/);
    expect(body)
      .to.contain("fetch('/clusters'")
      .and.not.match(/https?:\/\//);
    expect(body).to.not.contain('innerHTML');
    const script = /<script>([^]*)<\/script>/.exec(body)?.[1] ?? '';
    expect(() => new Script(script)).to.not.throw();
    expect(script.length).to.be.greaterThan(1000);
  });

  it('answers 500 and goes on when a view cannot be made', async () => {
    source.clusters = () => {
      throw new Error('broken view');
    };

    const answer = await ask('/clusters');

    expect(answer.status).to.equal(500);
    expect(answer.body).to.not.contain('broken view');
    expect(logged).to.deep.equal(['admin request failed']);
    expect((await ask('/readyz')).status).to.equal(200);
  });

  it('survives what is not HTTP', async () => {
    await raw('\u0000\u0001 nonsense\r\n\r\n');

    expect((await ask('/readyz')).status).to.equal(200);
  });

  it('says that its port is taken', async () => {
    const note = () => undefined;
    const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log };
    const second = new AdminServer(source, { host: '127.0.0.1', port }, log);

    const error = await second.start().then(
      () => null,
      (reason: unknown) => reason as NodeJS.ErrnoException,
    );

    expect(error?.code).to.equal('EADDRINUSE');
  });
});
