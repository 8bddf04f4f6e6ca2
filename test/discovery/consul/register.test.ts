import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { Registration } from '../../../discovery/consul/register.ts';
import type { RegistrationOptions } from '../../../discovery/consul/registration-body.ts';
import type { ConsulTransport } from '../../../discovery/consul/transport.ts';
import { advanceUntil } from '../../support/advance-until.ts';
import { registrationAt, transportTo } from '../../support/consul-parts.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeConsul } from '../../support/fake-consul.ts';
import { RecordingLog } from '../../support/recording-log.ts';

describe('registration in consul', function () {
  this.timeout(30_000);
  let clock: FakeClock;
  let consul: FakeConsul;
  let transport: ConsulTransport;
  let log: RecordingLog;
  let made: Registration[];

  beforeEach(async () => {
    clock = new FakeClock();
    consul = await FakeConsul.start();
    transport = await transportTo(consul.address, clock);
    log = new RecordingLog();
    made = [];
  });

  afterEach(async () => {
    await consul.down();
    // What is left of a registration gives up in bounded time.
    let ended = false;
    const ending = Promise.all(made.map((one) => one.deregister())).then(() => (ended = true));
    await soon(() => ended, 'a registration does not end');
    await ending;
    transport.close();
    expect(clock.pending).to.equal(0);
  });

  function register(options: Partial<RegistrationOptions> = {}): Registration {
    const registration = registrationAt(transport, clock, options, log);
    made.push(registration);
    return registration;
  }

  function soon(condition: () => boolean, what: string, stepMs = 10): Promise<number> {
    return advanceUntil(clock, condition, () => what, { stepMs });
  }

  function called(part: string): number {
    return consul.requests.filter(({ path }) => path.includes(part)).length;
  }

  it('says who it is, where, what it can, and how it is checked', async () => {
    expect(await register().start()).to.equal(true);

    expect(consul.registered.get('web-1')).to.deep.equal({
      ID: 'web-1',
      Name: 'web',
      Address: '10.0.0.5',
      Port: 15006,
      Tags: ['v1'],
      Meta: { version: '1.2.3', zone: 'eu-a', region: 'eu', outrigger: 'h2,load' },
      Weights: { Passing: 10, Warning: 1 },
      Checks: [
        {
          CheckID: 'web-1-ttl',
          Name: 'outrigger heartbeat',
          TTL: '15000ms',
          Status: 'passing',
          DeregisterCriticalServiceAfter: '300000ms',
        },
      ],
    });
    const [put] = consul.requests.filter(({ path }) => path === '/v1/agent/service/register');
    expect(put?.query.get('replace-existing-checks')).to.equal('true');
  });

  it('gives its locality to versions that have one', async () => {
    consul.version = '1.16.2';
    await register().start();

    expect(consul.registered.get('web-1')?.['Locality']).to.deep.equal({
      Region: 'eu',
      Zone: 'eu-a',
    });
  });

  it('drops a field that consul does not know, and remembers that', async () => {
    consul.version = '1.17.0';
    consul.unknownFields.add('Locality');

    expect(await register().start()).to.equal(true);
    consul.forget();
    await soon(() => consul.registered.size === 1, 'not registered again', 100);

    expect(called('service/register')).to.equal(3);
    expect(log.lines).to.include(
      'warn: this version of consul does not know a field, registering without it',
    );
  });

  it('beats every third of its time to live', async () => {
    await register().start();
    const endMs = clock.now() + 60_000;
    await soon(() => clock.now() >= endMs, '', 250);

    expect(called('check/pass/web-1-ttl')).to.be.within(10, 12);
  });

  it('is critical while its application does not serve, and says why', async () => {
    let problem: string | null = 'connection refused';
    const registration = registrationAt(transport, clock, {}, log, () => Promise.resolve(problem));
    made.push(registration);
    await registration.start();
    const checks = consul.registered.get('web-1')?.['Checks'] as { Status: string }[] | undefined;
    expect(checks?.[0]?.Status).to.equal('critical');
    await soon(() => called('check/fail/web-1-ttl') > 0, 'never said to be critical');

    problem = null;
    const tookMs = await soon(() => called('check/pass/web-1-ttl') > 0, 'never back', 50);
    expect(tookMs).to.be.below(1500);
    expect(log.lines.filter((line) => line.includes('the application'))).to.deep.equal([
      'warn: the application does not serve',
      'info: the application serves',
    ]);
  });

  it('registers again within one beat when the agent has lost it', async () => {
    await register().start();
    consul.forget();

    const tookMs = await soon(() => log.lines.length === 3, 'not registered again', 50);

    expect(tookMs).to.be.below(7_500);
    expect(log.lines).to.deep.equal([
      'info: registered in consul',
      'warn: the consul agent has lost us',
      'info: registered in consul',
    ]);
  });

  it('registers again with a new token, as the agent keeps using the one it was given', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'outrigger-register-')), 'token');
    await writeFile(file, 'one');
    transport.close();
    transport = await transportTo(consul.address, clock, { CONSUL_HTTP_TOKEN_FILE: file });
    await register().start();

    await writeFile(file, 'second');
    await soon(() => called('service/register') === 2, 'not registered again', 50);
    await rm(dirname(file), { recursive: true, force: true });

    const puts = consul.requests.filter(({ path }) => path === '/v1/agent/service/register');
    expect(puts.map(({ token }) => token)).to.deep.equal(['one', 'second']);
  });

  it('tries on while consul is down, says so once, and succeeds when it is back', async () => {
    await consul.down();
    const registration = register();
    expect(await registration.start()).to.equal(false);
    const endMs = clock.now() + 120_000;
    await soon(() => clock.now() >= endMs, '', 500);
    await consul.up();
    await soon(() => registration.status().registered, 'never registered', 100);

    expect(log.lines).to.deep.equal([
      'error: cannot register in consul, trying on',
      'info: registered in consul',
    ]);
    expect(registration.status().lastError).to.equal(null);
  });

  it('goes into maintenance first, then away', async () => {
    const registration = register();
    await registration.start();

    expect(await registration.maintain('draining')).to.equal(true);
    expect([...consul.inMaintenance]).to.deep.equal(['web-1']);
    const [put] = consul.requests.filter(({ path }) => path.includes('maintenance'));
    expect(put?.query.get('reason')).to.equal('draining');
    expect(consul.registered.size).to.equal(1);

    expect(await registration.deregister()).to.equal(true);
    expect(consul.registered.size).to.equal(0);
    expect(registration.status().registered).to.equal(false);
  });

  it('is not registered again by a beat once it is leaving', async () => {
    const registration = register();
    await registration.start();
    await registration.maintain('draining');
    consul.forget();
    const endMs = clock.now() + 30_000;
    await soon(() => clock.now() >= endMs, '', 250);

    expect(consul.registered.size).to.equal(0);
  });

  it('leaves without a word where it never came', async () => {
    const registration = register();

    expect(await registration.maintain('x')).to.equal(true);
    expect(await registration.deregister()).to.equal(true);
    expect(consul.requests).to.deep.equal([]);
  });

  it('knows after a while whether its token can read services', async () => {
    const reader = register();
    await reader.start();
    await soon(() => reader.status().canRead === true, 'no verdict', 50);

    consul.readable = false;
    const blind = register({ id: 'web-2' });
    await blind.start();
    await soon(() => log.lines.includes('error: the consul token cannot read services'), '', 100);

    expect(blind.status().canRead).to.equal(false);
  });

  for (const [name, options] of [
    ['a port of 0', { port: 0 }],
    ['a port above 65535', { port: 70_000 }],
    ['a name that DNS cannot carry', { name: 'bad_name$' }],
    ['a passing weight of 0', { weights: { passing: 0, warning: 0 } }],
  ] as const) {
    it(`refuses ${name}, which consul would take`, () => {
      expect(() => registrationAt(transport, clock, options)).to.throw(/^registration\./);
    });
  }
});
