import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { systemClock } from '../../telemetry/system-clock.ts';
import {
  type ConsulAgent,
  type ConsulCluster,
  startConsul,
  startConsulCluster,
} from '../support/consul-agent.ts';
import {
  newest,
  ResolverUnderTest,
  registerInCatalog,
  registrationAt,
  removeFromCatalog,
  transportTo,
} from '../support/consul-parts.ts';
import { until } from '../support/until.ts';

const LIMIT_MS = 30_000;
/** Enough for servers to be seen half-way through the replay of their log. */
const INSTANCES = 300;

describe('outages of a real consul', function () {
  this.timeout(120_000);
  let consul: ConsulAgent;

  before(async function () {
    const started = await startConsul();
    if (started === null) return this.skip();
    consul = started;
    await registerInCatalog(consul.address, 'many', 0, INSTANCES);
  });

  after(() => consul?.stop());

  it('keeps every endpoint through a restart, and follows changes afterwards', async () => {
    const callers = await ResolverUnderTest.at(consul.address, systemClock);
    const seen = callers.follow('many');
    await until(
      () => newest(seen).length === INSTANCES,
      LIMIT_MS,
      () => 'never complete',
    );
    seen.smallest = INSTANCES;

    await consul.kill();
    await until(
      () => seen.errors.length > 0,
      LIMIT_MS,
      () => 'the outage was not noticed',
    );
    await consul.restart();
    await until(
      () => callers.updates.at(-1) !== 'failed',
      LIMIT_MS,
      () => 'never back',
    );
    await registerInCatalog(consul.address, 'many', INSTANCES, INSTANCES + 1);
    await until(
      () => newest(seen).length === INSTANCES + 1,
      LIMIT_MS,
      () => 'change not seen',
    );
    await callers.close();

    expect(seen.smallest).to.equal(INSTANCES);
    const [outage, ...others] = callers.log.lines.filter((line) => line.startsWith('warn'));
    expect(outage).to.equal('warn: consul is not available, the last known endpoints stay in use');
    // A query that meets the agent while it still replays its log is held back, and says so once.
    const held = 'warn: a registry update is held in quarantine';
    expect(others.length).to.be.at.most(1);
    for (const line of others) expect(line).to.equal(held);
  });

  it('keeps a registration alive through a restart of the agent', async () => {
    const transport = await transportTo(consul.address, systemClock);
    const registration = registrationAt(transport, systemClock, { ttlMs: 1_500 });
    await registration.start();
    const callers = await ResolverUnderTest.at(consul.address, systemClock);
    const seen = callers.follow('web');
    await until(
      () => newest(seen).length === 1,
      LIMIT_MS,
      () => 'never discovered',
    );
    seen.smallest = 1;

    await consul.restart();
    await until(
      () => callers.updates.at(-1) !== 'failed',
      LIMIT_MS,
      () => 'never back',
    );
    await until(
      () => registration.status().registered && registration.status().lastError === null,
      LIMIT_MS,
      () => 'not registered again',
    );
    await registration.maintain('draining');
    await until(
      () => newest(seen)[0]?.health === 'maintenance',
      LIMIT_MS,
      () => 'not drained',
    );
    await registration.deregister();
    await callers.close();
    transport.close();

    expect(seen.smallest).to.equal(1);
  });

  it('starts from saved endpoints while consul is down', async () => {
    const snapshotDirectory = await mkdtemp(join(tmpdir(), 'outrigger-last-good-'));
    const first = await ResolverUnderTest.at(consul.address, systemClock, { snapshotDirectory });
    const before = first.follow('many');
    await until(
      () => newest(before).length > INSTANCES,
      LIMIT_MS,
      () => 'never complete',
    );
    await first.close();

    await consul.kill();
    const second = await ResolverUnderTest.at(consul.address, systemClock, { snapshotDirectory });
    const after = second.follow('many');
    await until(
      () => newest(after).length > 0,
      LIMIT_MS,
      () => 'saved endpoints not used',
    );
    const down = second.resolver.status('many');
    await consul.restart();
    await until(
      () => second.resolver.status('many')?.fromSnapshot === false,
      LIMIT_MS,
      () => 'never confirmed',
    );
    await second.close();
    await rm(snapshotDirectory, { recursive: true, force: true });

    expect(newest(after)).to.deep.equal(newest(before));
    expect(down).to.deep.include({ source: 'consul', fromSnapshot: true });
  });
});

describe('a consul cluster whose three servers restart', function () {
  this.timeout(180_000);
  let cluster: ConsulCluster;

  before(async function () {
    if (process.platform !== 'linux') return this.skip();
    const started = await startConsulCluster();
    if (started === null) return this.skip();
    cluster = started;
  });

  beforeEach(async () => {
    await registerInCatalog(cluster.address, 'many', 0, INSTANCES);
    await removeFromCatalog(cluster.address, `node-${INSTANCES}`);
  });

  after(() => cluster?.stop());

  for (const cached of [true, false]) {
    it(`loses no endpoint, ${cached ? 'through the cache of the agent' : 'asking the servers'}`, async () => {
      const callers = await ResolverUnderTest.at(cluster.address, systemClock, { cached });
      const seen = callers.follow('many');
      await until(
        () => newest(seen).length === INSTANCES,
        LIMIT_MS,
        () => 'never complete',
      );
      seen.smallest = INSTANCES;

      await cluster.killServers();
      cluster.startServers();
      await cluster.ready();
      await registerInCatalog(cluster.address, 'many', INSTANCES, INSTANCES + 1);
      await until(
        () => newest(seen).length > INSTANCES,
        LIMIT_MS,
        () => `no change came after the restart: ${callers.updates.join(' ')}`,
      );
      await callers.close();

      expect(seen.smallest).to.equal(INSTANCES);
    });
  }
});
