import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readAccess } from '../../../discovery/consul/access.ts';
import {
  type ConsulRequest,
  ConsulTransport,
  consulPath,
} from '../../../discovery/consul/transport.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { until } from '../../support/until.ts';

const LIMIT_BYTES = 100_000;

describe('consul transport', () => {
  const clock = new FakeClock();
  let directory: string;
  let server: Server;
  let transports: ConsulTransport[];
  let serve: RequestListener;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'outrigger-transport-'));
    transports = [];
    server = createServer((request, response) => serve(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(async () => {
    for (const transport of transports) transport.close();
    server.closeAllConnections();
    server.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function open(environment: Record<string, string> = {}): Promise<ConsulTransport> {
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const outcome = await readAccess({}, { CONSUL_HTTP_ADDR: address, ...environment });
    if (!outcome.ok) throw new Error(outcome.problem);
    const transport = new ConsulTransport({
      access: outcome.access,
      clock,
      maxWatches: 2,
      maxBodyBytes: LIMIT_BYTES,
    });
    transports.push(transport);
    return transport;
  }

  const get: ConsulRequest = { method: 'GET', path: '/v1/x', timeoutMs: 60_000 };

  it('gives status, headers and whole body, whatever the status', async () => {
    serve = (_request, response) => {
      response.writeHead(403, { 'x-consul-index': '1' });
      response.end('ACL not found');
    };

    const outcome = await (await open()).request(get);

    expect(outcome).to.deep.include({ ok: true, status: 403, body: Buffer.from('ACL not found') });
  });

  it('sends names in paths and queries encoded, flags without a value, a body as JSON', async () => {
    const seen: string[] = [];
    serve = (request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers['content-type'] ?? ''}`);
      request.on('data', (chunk: Buffer) => seen.push(chunk.toString()));
      request.on('end', () => response.end());
    };

    await (await open()).request({
      ...get,
      method: 'PUT',
      path: consulPath`/v1/health/service/${'a/b?c'}`,
      query: { cached: '', filter: 'a == "b"', none: undefined },
      body: { ID: 'x' },
    });

    expect(seen).to.deep.equal([
      'PUT /v1/health/service/a%2Fb%3Fc?cached&filter=a%20%3D%3D%20%22b%22 application/json',
      '{"ID":"x"}',
    ]);
  });

  it('fails at once on a body that ends before its length', async () => {
    serve = (_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half', () => response.destroy());
    };

    expect(await (await open()).request(get)).to.deep.include({ ok: false, reason: 'cut_short' });
  });

  it('fails at once on a chunked body without its end', async () => {
    serve = (_request, response) => {
      response.write('[', () => response.destroy());
    };

    expect(await (await open()).request(get)).to.deep.include({ ok: false, reason: 'cut_short' });
  });

  for (const declared of [true, false]) {
    it(`refuses 50 MB ${declared ? 'by their declared length' : 'as they come'}, reading little of them`, async () => {
      let sent = 0;
      serve = (_request, response) => {
        if (declared) response.setHeader('content-length', 50_000_000);
        const chunk = Buffer.alloc(64 * 1024, 0x20);
        const more = (): void => {
          while (sent < 50_000_000 && !response.destroyed) {
            sent += chunk.length;
            if (!response.write(chunk)) {
              response.once('drain', more);
              return;
            }
          }
        };
        more();
      };

      const outcome = await (await open()).request(get);

      expect(outcome).to.deep.include({ ok: false, reason: 'too_large' });
      expect(sent).to.be.below(25_000_000);
    });
  }

  it('takes a body of exactly the limit', async () => {
    serve = (_request, response) => response.end(Buffer.alloc(LIMIT_BYTES));

    const outcome = await (await open()).request(get);

    expect(outcome.ok && outcome.body.length).to.equal(LIMIT_BYTES);
  });

  it('gives up after its timeout, in the middle of a body as well', async () => {
    let started = false;
    serve = (_request, response) => {
      response.write('[', () => {
        started = true;
      });
    };
    const pending = (await open()).request({ ...get, timeoutMs: 1_000 });
    await until(
      () => started,
      5_000,
      () => 'no request came',
    );
    clock.advance(1_000);

    expect(await pending).to.deep.include({ ok: false, reason: 'timeout' });
  });

  it('ends when its signal aborts', async () => {
    let came = false;
    serve = () => {
      came = true;
    };
    const stop = new AbortController();
    const pending = (await open()).request({ ...get, signal: stop.signal });
    await until(
      () => came,
      5_000,
      () => 'no request came',
    );
    stop.abort();

    expect(await pending).to.deep.include({ ok: false, reason: 'cancelled' });
    expect(await (await open()).request({ ...get, signal: stop.signal })).to.deep.include({
      ok: false,
      reason: 'cancelled',
    });
  });

  it('reuses its connection, and tries again on a new one when that was closed meanwhile', async () => {
    const sockets = new Set<Socket>();
    let requests = 0;
    serve = (request, response) => {
      requests++;
      const known = sockets.has(request.socket);
      sockets.add(request.socket);
      // The second request on a connection meets its end.
      if (known) request.socket.resetAndDestroy();
      else response.end('ok');
    };
    const transport = await open();

    expect((await transport.request(get)).ok).to.equal(true);
    expect((await transport.request(get)).ok).to.equal(true);

    expect(requests).to.equal(3);
    expect(sockets.size).to.equal(2);
  });

  it('keeps a way free for writes when every watch is waiting', async () => {
    serve = (request, response) => {
      if (request.method === 'PUT') response.end();
    };
    const transport = await open();
    const stop = new AbortController();
    const watches = [1, 2, 3, 4, 5].map(() =>
      transport.request({ ...get, blocking: true, signal: stop.signal }),
    );

    expect((await transport.request({ ...get, method: 'PUT' })).ok).to.equal(true);
    stop.abort();
    await Promise.all(watches);
  });

  it('refuses connections as a value', async () => {
    const transport = await open();
    server.close();
    server.closeAllConnections();

    expect(await transport.request(get)).to.deep.include({ ok: false, reason: 'connect_failed' });
  });

  it('speaks through a unix socket', async () => {
    const path = join(directory, 'consul.sock');
    const local = createServer((_request, response) => response.end('unix'));
    local.listen(path);
    await once(local, 'listening');
    const transport = await open({ CONSUL_HTTP_ADDR: `unix://${path}` });

    const outcome = await transport.request(get);
    local.close();
    local.closeAllConnections();

    expect(outcome.ok && outcome.body.toString()).to.equal('unix');
  });

  describe('token', () => {
    it('goes out as a header, never in the address', async () => {
      let seen = '';
      serve = (request, response) => {
        seen = `${String(request.headers['x-consul-token'])} ${request.url}`;
        response.end();
      };
      await (await open({ CONSUL_HTTP_TOKEN: 'secret' })).request(get);

      expect(seen).to.equal('secret /v1/x');
    });

    it('is read again from its file when that changes, and after a 403', async () => {
      const file = join(directory, 'token');
      await writeFile(file, 'one\n');
      const seen: unknown[] = [];
      let allowed = 'one';
      serve = (request, response) => {
        const token = request.headers['x-consul-token'];
        seen.push(token);
        response.writeHead(token === allowed ? 200 : 403);
        // Revoked while the request was under way: only then is the new one in place.
        void writeFile(file, 'second\n').then(() => response.end());
      };
      const transport = await open({ CONSUL_HTTP_TOKEN_FILE: file });
      allowed = 'second';

      const outcome = await transport.request(get);

      expect(outcome.ok && outcome.status).to.equal(200);
      expect(seen).to.deep.equal(['one', 'second']);
    });

    it('gives a 403 back when the file has no other token', async () => {
      const file = join(directory, 'token');
      await writeFile(file, 'one\n');
      let requests = 0;
      serve = (_request, response) => {
        requests++;
        response.writeHead(403).end();
      };

      const outcome = await (await open({ CONSUL_HTTP_TOKEN_FILE: file })).request(get);

      expect(outcome.ok && outcome.status).to.equal(403);
      expect(requests).to.equal(1);
    });
  });
});
