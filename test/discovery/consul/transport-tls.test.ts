import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readAccess } from '../../../discovery/consul/access.ts';
import { ConsulClient } from '../../../discovery/consul/client.ts';
import { type ConsulOutcome, ConsulTransport } from '../../../discovery/consul/transport.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const OPENSSL = 'openssl';
const NAME = 'server.dc1.consul';

describe('consul transport over TLS', () => {
  let directory: string;
  let file: (name: string) => string;
  let server: Server;
  let transports: ConsulTransport[];

  before(async function () {
    directory = mkdtempSync(join(tmpdir(), 'outrigger-tls-'));
    file = (name) => join(directory, name);
    try {
      const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2';
      const names = ['-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`];
      const files = ['-keyout', file('key.pem'), '-out', file('cert.pem')];
      execFileSync(OPENSSL, request.split(' ').concat(names, files), { stdio: 'ignore' });
    } catch {
      console.log('      skipped: no openssl to make a certificate with');
      this.skip();
    }
    const pair = { key: readFileSync(file('key.pem')), cert: readFileSync(file('cert.pem')) };
    server = createServer(
      { ...pair, ca: pair.cert, requestCert: true, rejectUnauthorized: true },
      (_request, response) => {
        response.setHeader('content-type', 'application/json');
        response.end('{"Config":{}}');
      },
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  after(() => {
    server?.closeAllConnections();
    server?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  beforeEach(() => {
    transports = [];
  });

  afterEach(() => {
    for (const transport of transports) transport.close();
  });

  async function open(left: Record<string, string | undefined> = {}): Promise<ConsulTransport> {
    const outcome = await readAccess(
      { address: `https://127.0.0.1:${(server.address() as AddressInfo).port}` },
      {
        CONSUL_CACERT: file('cert.pem'),
        CONSUL_CLIENT_CERT: file('cert.pem'),
        CONSUL_CLIENT_KEY: file('key.pem'),
        CONSUL_TLS_SERVER_NAME: NAME,
        ...left,
      },
    );
    if (!outcome.ok) throw new Error(outcome.problem);
    const transport = new ConsulTransport({
      access: outcome.access,
      clock: new FakeClock(),
      maxWatches: 2,
      maxBodyBytes: 1_000,
    });
    transports.push(transport);
    return transport;
  }

  async function ask(left: Record<string, string | undefined> = {}): Promise<ConsulOutcome> {
    const transport = await open(left);
    return transport.request({ method: 'GET', path: '/v1/agent/self', timeoutMs: 5_000 });
  }

  it('shows its certificate and checks that of consul, by the configured name', async () => {
    expect(await ask()).to.deep.include({ ok: true, status: 200 });
  });

  it('does the same for one-shot calls', async () => {
    expect((await new ConsulClient(await open()).self()).ok).to.equal(true);
  });

  for (const [name, left] of [
    ['an authority it does not know', { CONSUL_CACERT: undefined }],
    ['another name', { CONSUL_TLS_SERVER_NAME: 'server.dc2.consul' }],
  ] as const) {
    it(`refuses a certificate of ${name}`, async () => {
      expect(await ask(left)).to.deep.include({ ok: false, reason: 'connect_failed' });
    });
  }

  it('takes any certificate where verifying is switched off', async () => {
    const outcome = await ask({ CONSUL_CACERT: undefined, CONSUL_HTTP_SSL_VERIFY: 'false' });

    expect(outcome.ok).to.equal(true);
  });
});
