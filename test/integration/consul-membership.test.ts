import { expect } from 'chai';
import type { ConsulTransport } from '../../discovery/consul/transport.ts';
import { systemClock } from '../../telemetry/system-clock.ts';
import { type ConsulAgent, startConsul } from '../support/consul-agent.ts';
import { newest, ResolverUnderTest, registrationAt, transportTo } from '../support/consul-parts.ts';
import { until } from '../support/until.ts';

const LIMIT_MS = 10_000;

describe('membership in a real consul', function () {
  this.timeout(60_000);
  let consul: ConsulAgent;
  let transport: ConsulTransport;
  let callers: ResolverUnderTest;

  before(async function () {
    const started = await startConsul({ zone: 'eu-b' });
    if (started === null) return this.skip();
    consul = started;
  });

  after(() => consul?.stop());

  beforeEach(async () => {
    transport = await transportTo(consul.address, systemClock);
    callers = await ResolverUnderTest.at(consul.address, systemClock);
  });

  afterEach(async () => {
    await callers.close();
    transport.close();
  });

  it('shows a registered instance to a caller within a second', async () => {
    const seen = callers.follow('web');
    await until(
      () => seen.lists.length === 1,
      LIMIT_MS,
      () => 'no first answer',
    );
    const registration = registrationAt(transport, systemClock);

    const startedMs = performance.now();
    const registered = await registration.start();
    await until(
      () => newest(seen).length === 1,
      LIMIT_MS,
      () => 'never discovered',
    );
    const tookMs = performance.now() - startedMs;

    expect(registered).to.equal(true);
    console.log(`      discovered after ${Math.round(tookMs)} ms`);
    expect(newest(seen)[0]).to.deep.include({
      address: '10.0.0.5',
      port: 15006,
      weight: 10,
      zone: 'eu-a',
      region: 'eu',
      health: 'passing',
      tags: ['v1'],
    });
    expect(newest(seen)[0]?.meta.get('outrigger')).to.equal('h2,load');
    await registration.deregister();
  });

  it('leaves in order: maintenance first, then gone', async () => {
    const registration = registrationAt(transport, systemClock);
    await registration.start();
    const seen = callers.follow('web');
    await until(
      () => newest(seen).length === 1,
      LIMIT_MS,
      () => 'never discovered',
    );

    expect(await registration.maintain('draining')).to.equal(true);
    await until(
      () => newest(seen)[0]?.health === 'maintenance',
      LIMIT_MS,
      () => 'maintenance never seen',
    );
    expect(await registration.deregister()).to.equal(true);
    await until(
      () => newest(seen).length === 0,
      LIMIT_MS,
      () => 'never gone',
    );

    expect(callers.updates).to.not.include('quarantined');
  });

  it('starts out of maintenance after a run that was killed in it', async () => {
    const killed = registrationAt(transport, systemClock);
    await killed.start();
    await killed.maintain('draining');

    const next = registrationAt(transport, systemClock);
    await next.start();
    const seen = callers.follow('web');
    await until(
      () => newest(seen)[0]?.health === 'passing',
      LIMIT_MS,
      () => JSON.stringify(newest(seen)),
    );

    await killed.deregister();
    await next.deregister();
  });

  it('registers again when the agent has lost it', async () => {
    const registration = registrationAt(transport, systemClock, { ttlMs: 900 });
    await registration.start();
    const seen = callers.follow('web');
    await until(
      () => newest(seen).length === 1,
      LIMIT_MS,
      () => 'never discovered',
    );
    const bystander = await transportTo(consul.address, systemClock);

    await bystander.request({
      method: 'PUT',
      path: '/v1/agent/service/deregister/web-1',
      timeoutMs: 5_000,
    });
    bystander.close();
    await until(
      () => callers.updates.includes('quarantined'),
      LIMIT_MS,
      () => 'the loss was never seen',
    );
    await until(
      async () => (await listed(transport)) === 1,
      LIMIT_MS,
      () => 'never registered again',
    );

    expect(newest(seen).length).to.equal(1);
    await registration.deregister();
  });

  it('is known to itself as a reader of services', async () => {
    const registration = registrationAt(transport, systemClock);
    await registration.start();

    await until(
      () => registration.status().canRead === true,
      LIMIT_MS,
      () => 'no self-test',
    );

    await registration.deregister();
  });
});

async function listed(transport: ConsulTransport): Promise<number> {
  const outcome = await transport.request({
    method: 'GET',
    path: '/v1/health/service/web',
    timeoutMs: 5_000,
  });
  return outcome.ok ? (JSON.parse(outcome.body.toString()) as unknown[]).length : -1;
}
