import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ConsulTransport } from '../../discovery/consul/transport.ts';
import { systemClock } from '../../telemetry/system-clock.ts';
import { type ConsulAgent, startConsul } from '../support/consul-agent.ts';
import { newest, ResolverUnderTest, registrationAt, transportTo } from '../support/consul-parts.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { until } from '../support/until.ts';

const LIMIT_MS = 30_000;

describe('a real consul that asks for tokens', function () {
  this.timeout(120_000);
  const master = randomUUID();
  let consul: ConsulAgent;
  let admin: ConsulTransport;
  let directory: string;
  let file: string;

  before(async function () {
    const started = await startConsul({ token: master });
    if (started === null) return this.skip();
    consul = started;
    admin = await transportTo(consul.address, systemClock, { CONSUL_HTTP_TOKEN: master });
    directory = await mkdtemp(join(tmpdir(), 'outrigger-acl-'));
    file = join(directory, 'token');
  });

  after(async () => {
    admin?.close();
    await consul?.stop();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  /** A token with the identity of the service `web`, which is all a sidecar should be given. */
  async function issue(): Promise<{ accessor: string; secret: string }> {
    const outcome = await admin.request({
      method: 'PUT',
      path: '/v1/acl/token',
      body: { ServiceIdentities: [{ ServiceName: 'web' }] },
      timeoutMs: 5_000,
    });
    if (!outcome.ok || outcome.status !== 200) throw new Error('no token was issued');
    const token = JSON.parse(outcome.body.toString()) as { AccessorID: string; SecretID: string };
    return { accessor: token.AccessorID, secret: token.SecretID };
  }

  it('is served by a service identity, and a token from the file replaces a revoked one', async () => {
    const first = await issue();
    await writeFile(file, first.secret);
    const log = new RecordingLog();
    const environment = { CONSUL_HTTP_TOKEN_FILE: file };
    const own = await transportTo(consul.address, systemClock, environment);
    const registration = registrationAt(own, systemClock, { ttlMs: 900 }, log);
    expect(await registration.start()).to.equal(true);
    await until(
      () => registration.status().canRead === true,
      LIMIT_MS,
      () => 'cannot read',
    );
    const callers = await ResolverUnderTest.at(consul.address, systemClock, {}, environment);
    const seen = callers.follow('web');
    await until(
      () => newest(seen).length === 1,
      LIMIT_MS,
      () => 'never discovered',
    );

    await admin.request({
      method: 'PUT',
      path: '/v1/agent/service/register',
      body: { ID: 'web-2', Name: 'web', Address: '10.0.0.6', Port: 15006 },
      timeoutMs: 5_000,
    });
    await until(
      () => newest(seen).length === 2,
      LIMIT_MS,
      () => 'no second instance',
    );
    const second = await issue();
    await writeFile(file, second.secret);
    await until(
      () => log.lines.length === 2,
      LIMIT_MS,
      () => 'not registered with the new token',
    );
    await admin.request({
      method: 'DELETE',
      path: `/v1/acl/token/${first.accessor}`,
      timeoutMs: 5_000,
    });
    expect(await registration.maintain('draining')).to.equal(true);
    await until(
      () => newest(seen).some(({ health }) => health === 'maintenance'),
      LIMIT_MS,
      () => 'maintenance never seen',
    );
    expect(await registration.deregister()).to.equal(true);
    await until(
      () => newest(seen).length === 1,
      LIMIT_MS,
      () => 'never gone',
    );
    await callers.close();
    own.close();

    expect(callers.updates).to.not.include('failed');
  });

  it('refuses a registration without a token, and answers reads with nothing', async () => {
    const log = new RecordingLog();
    const blind = await transportTo(consul.address, systemClock);
    const callers = await ResolverUnderTest.at(consul.address, systemClock);
    const seen = callers.follow('web');
    await until(
      () => seen.lists.length === 1,
      LIMIT_MS,
      () => 'no answer',
    );

    expect(newest(seen)).to.deep.equal([]);
    const registration = registrationAt(blind, systemClock, {}, log);
    expect(await registration.start()).to.equal(false);
    await registration.deregister();
    await callers.close();
    blind.close();

    expect(registration.status().lastError).to.match(/403/);
    expect(log.lines[0]).to.equal('error: cannot register in consul, trying on');
  });
});
