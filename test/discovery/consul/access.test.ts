import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type ConsulAccess, readAccess } from '../../../discovery/consul/access.ts';

async function accessOf(environment: Record<string, string>): Promise<ConsulAccess> {
  const outcome = await readAccess({}, environment);
  if (!outcome.ok) throw new Error(outcome.problem);
  return outcome.access;
}

describe('access to consul', () => {
  const addresses: readonly [string, ConsulAccess['address'], boolean][] = [
    ['10.0.0.1:8501', { kind: 'tcp', host: '10.0.0.1', port: 8501 }, false],
    ['http://consul:80', { kind: 'tcp', host: 'consul', port: 80 }, false],
    ['https://consul.example/', { kind: 'tcp', host: 'consul.example', port: 8501 }, true],
    ['[::1]:8500', { kind: 'tcp', host: '::1', port: 8500 }, false],
    ['localhost', { kind: 'tcp', host: 'localhost', port: 8500 }, false],
    ['unix:///run/consul.sock', { kind: 'unix', path: '/run/consul.sock' }, false],
  ];
  for (const [text, address, secure] of addresses) {
    it(`reads the address ${text}`, async () => {
      const access = await accessOf({ CONSUL_HTTP_ADDR: text });

      expect(access.address).to.deep.equal(address);
      expect(access.tls !== null).to.equal(secure);
    });
  }

  it('asks the agent on this host by default', async () => {
    expect((await accessOf({})).address).to.deep.equal({
      kind: 'tcp',
      host: '127.0.0.1',
      port: 8500,
    });
  });

  for (const text of [
    'http://',
    'a:0',
    'a:99999',
    'a b',
    'ftp://a',
    'http://u:p@a',
    'unix://',
    'a/b',
  ]) {
    it(`refuses the address ${JSON.stringify(text)}`, async () => {
      const outcome = await readAccess({ address: text }, {});

      expect(outcome.ok).to.equal(false);
      if (!outcome.ok) expect(outcome.problem).to.match(/^consul address: expected/);
    });
  }

  it('prefers what is configured to the environment', async () => {
    const outcome = await readAccess(
      { address: 'a:1', token: 'mine', namespace: 'n' },
      { CONSUL_HTTP_ADDR: 'b:2', CONSUL_HTTP_TOKEN: 'theirs', CONSUL_NAMESPACE: 'm' },
    );

    expect(outcome.ok && outcome.access.address).to.deep.include({ host: 'a' });
    expect(outcome.ok && (await outcome.access.token.current())).to.equal('mine');
    expect(outcome.ok && outcome.access.namespace).to.equal('n');
  });

  it('refuses a token that could break a header', async () => {
    expect((await readAccess({ token: 'a\r\nx: y' }, {})).ok).to.equal(false);
  });

  it('reads authorities, certificate, key and server name for TLS', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'outrigger-access-'));
    const file = join(directory, 'ca.pem');
    await writeFile(file, '-----BEGIN CERTIFICATE-----');
    const access = await accessOf({
      CONSUL_HTTP_SSL: 'true',
      CONSUL_HTTP_SSL_VERIFY: 'false',
      CONSUL_CACERT: file,
      CONSUL_CAPATH: directory,
      CONSUL_CLIENT_CERT: file,
      CONSUL_CLIENT_KEY: file,
      CONSUL_TLS_SERVER_NAME: 'server.dc1.consul',
    });
    await rm(directory, { recursive: true, force: true });

    const pem = '-----BEGIN CERTIFICATE-----';
    expect(access.tls).to.deep.equal({
      ca: [pem, pem],
      cert: pem,
      key: pem,
      serverName: 'server.dc1.consul',
      verify: false,
    });
  });

  it('names a certificate file that cannot be read', async () => {
    const outcome = await readAccess(
      { address: 'https://a' },
      { CONSUL_CACERT: '/does/not/exist.pem' },
    );

    expect(!outcome.ok && outcome.problem).to.match(/^consul tls: .*exist\.pem/);
  });

  it('keeps a token in use while its file cannot be read', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'outrigger-access-'));
    const file = join(directory, 'token');
    await writeFile(file, 'one');
    const { token } = await accessOf({ CONSUL_HTTP_TOKEN_FILE: file });
    const before = await token.current();
    await rm(directory, { recursive: true, force: true });

    expect([before, await token.current(), await token.renewed('one')]).to.deep.equal([
      'one',
      'one',
      false,
    ]);
  });
});
