import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ConsulOptions } from '../../../discovery/consul/options.ts';
import { advanceUntil } from '../../support/advance-until.ts';
import { newest, ResolverUnderTest } from '../../support/consul-parts.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeConsul, healthBody, instances } from '../../support/fake-consul.ts';

describe('consul resolver', function () {
  // Hours of fake time over real sockets.
  this.timeout(30_000);
  let clock: FakeClock;
  let consul: FakeConsul;
  let open: ResolverUnderTest[];

  beforeEach(async () => {
    clock = new FakeClock();
    consul = await FakeConsul.start();
    open = [];
  });

  afterEach(async () => {
    await Promise.all(open.map((tested) => tested.close()));
    await consul.down();
  });

  async function start(options: Partial<ConsulOptions> = {}): Promise<ResolverUnderTest> {
    const tested = await ResolverUnderTest.at(consul.address, clock, options);
    open.push(tested);
    return tested;
  }

  function soon(condition: () => boolean, what: string, stepMs = 10): Promise<number> {
    return advanceUntil(clock, condition, () => what, { stepMs });
  }

  /** Lets fake time pass that no test condition ends. */
  async function pass(ms: number): Promise<void> {
    const endMs = clock.now() + ms;
    await advanceUntil(
      clock,
      () => clock.now() >= endMs,
      () => '',
      { stepMs: Math.max(10, ms / 200) },
    );
  }

  it('asks once for all who follow a service, and blocks on the index', async () => {
    consul.set('web', instances(2));
    const tested = await start();
    const all = [tested.follow('web'), tested.follow('web'), tested.follow('web')];
    await soon(() => all.every((seen) => newest(seen).length === 2), 'no list');
    await soon(() => consul.reads.length === 2, 'no second request');
    await pass(20_000);

    expect(consul.reads.map(({ query }) => query.get('index'))).to.deep.equal(['0', '101']);
  });

  it('keeps what it has through a 500, and takes no index from it', async () => {
    consul.set('web', instances(2));
    const tested = await start();
    const seen = tested.follow('web');
    await soon(() => newest(seen).length === 2, 'no list');

    consul.next({ status: 500, headers: { 'x-consul-index': '1' }, body: 'rpc error' });
    await soon(() => tested.updates.at(-1) === 'unchanged', 'never recovered');

    expect(seen.lists).to.have.length(1);
    expect(tested.updates).to.deep.equal(['applied', 'failed', 'unchanged']);
    expect(tested.resolver.status('web')?.quarantine).to.equal(null);
  });

  for (const [name, answer] of [
    ['a body that breaks off', 'cut'],
    ['a body that is not JSON', { headers: { 'x-consul-index': '999' }, body: '[{' }],
    ['a body of another shape', { headers: { 'x-consul-index': '999' }, body: '{"a":1}' }],
    ['a body above the limit', { headers: { 'content-length': '50000000' } }],
  ] as const) {
    it(`keeps what it has through ${name}, and recovers`, async () => {
      consul.set('web', instances(2));
      const tested = await start();
      const seen = tested.follow('web');
      await soon(() => newest(seen).length === 2, 'no list');

      consul.next(answer);
      await soon(() => tested.updates.includes('failed'), 'not noticed');
      consul.set('web', instances(3));
      await soon(() => newest(seen).length === 3, 'never recovered');

      expect(seen.smallest).to.equal(2);
      expect(tested.resolver.status('web')?.lastError).to.equal(null);
    });
  }

  it('keeps what it has when the token is refused, and raises one alarm', async () => {
    consul.set('web', instances(2));
    const tested = await start();
    const seen = tested.follow('web');
    await soon(() => newest(seen).length === 2, 'no list');

    consul.always({ status: 403, headers: { 'x-consul-index': '1' }, body: 'ACL not found' });
    await pass(60_000);

    expect(seen.lists).to.have.length(1);
    expect(tested.log.lines).to.deep.equal([
      'error: the consul token was refused, the last known endpoints stay in use',
    ]);
    expect(tested.resolver.status('web')?.lastError).to.match(/403.*ACL not found/);
  });

  it('holds an empty list until it has stood, then believes it', async () => {
    consul.set('web', instances(2));
    const tested = await start();
    const seen = tested.follow('web');
    await soon(() => newest(seen).length === 2, 'no list');

    consul.set('web', []);
    await soon(() => tested.resolver.status('web')?.quarantine !== null, 'not held');
    const tookMs = await soon(() => newest(seen).length === 0, 'never believed', 50);

    expect(tookMs).to.be.within(14_500, 17_000);
    expect(tested.log.lines).to.deep.equal([
      'warn: a registry update is held in quarantine',
      'info: quarantine is over',
    ]);
  });

  it('never believes empty lists with a token that cannot read services', async () => {
    consul.set('web', instances(2));
    const tested = await start();
    const seen = tested.follow('web');
    await soon(() => newest(seen).length === 2, 'no list');

    consul.readable = false;
    consul.wake();
    await pass(300_000);

    expect(seen.smallest).to.equal(2);
    expect(tested.resolver.status('web')?.quarantine).to.match(/2 removals held/);
  });

  it('never believes an empty list of servers without a leader', async () => {
    consul.set('web', instances(1));
    const tested = await start();
    const seen = tested.follow('web');
    await soon(() => newest(seen).length === 1, 'no list');

    consul.knownLeader = false;
    consul.set('web', []);
    await pass(120_000);

    expect(seen.smallest).to.equal(1);
  });

  it('loses nobody to servers that restart and replay their log', async () => {
    consul.index = 2153n;
    consul.set('web', instances(50));
    const tested = await start();
    const seen = tested.follow('web');
    await soon(() => newest(seen).length === 50, 'no list');

    for (const [index, count] of [
      [131n, 0],
      [1227n, 4],
      [1934n, 39],
      [2154n, 50],
    ] as const) {
      consul.index = index;
      consul.replace('web', instances(count));
      await pass(1_000);
    }

    expect(seen.lists).to.have.length(1);
    expect(tested.updates).to.include('quarantined');
    expect(tested.resolver.status('web')?.quarantine).to.equal(null);
  });

  it('believes a restored older state in bounded time', async () => {
    consul.index = 17n;
    consul.set('web', instances(6));
    const tested = await start();
    const seen = tested.follow('web');
    await soon(() => newest(seen).length === 6, 'no list');
    await soon(() => consul.reads.length === 2, 'not watched');

    consul.index = 15n;
    consul.replace('web', instances(3));
    const tookMs = await soon(() => newest(seen).length === 3, 'never believed', 50);

    expect(tookMs).to.be.within(14_500, 20_000);
  });

  it('tells of maintenance at once', async () => {
    consul.set('web', instances(2));
    const tested = await start();
    const seen = tested.follow('web');
    await soon(() => newest(seen).length === 2, 'no list');

    const checks = [{ id: '_service_maintenance:a-0', status: 'critical' }];
    consul.set('web', [{ id: 'a-0', port: 9000, checks }, ...instances(2).slice(1)]);
    const tookMs = await soon(() => newest(seen)[0]?.health === 'maintenance', 'never told');

    expect(tookMs).to.be.below(1_000);
  });

  it('says at most one line a minute in an hour without consul, and keeps its endpoints', async () => {
    consul.set('web', instances(2));
    const tested = await start();
    const services = ['web', 'api', 'shop'].map((service) => tested.follow(service));
    await soon(() => services.every(({ lists }) => lists.length === 1), 'no lists');

    await consul.down();
    await pass(3_600_000);
    const down = tested.resolver.status('web');
    await consul.up();
    await soon(() => tested.log.lines.length === 2, 'never back', 200);

    expect(services[0]?.lists).to.have.length(1);
    expect(down?.ageMs).to.be.at.least(3_600_000);
    expect(tested.log.lines).to.deep.equal([
      'warn: consul is not available, the last known endpoints stay in use',
      'info: consul is available again',
    ]);
  });

  it('survives a flapping service: memory of one list, endpoints that stay keep their record', async () => {
    consul.set('web', instances(5));
    const tested = await start();
    const seen = tested.follow('web');
    await soon(() => newest(seen).length === 5, 'no list');
    const stays = newest(seen)[4];

    for (let i = 0; i < 200; i++) {
      const status = i % 7 < 3 ? 'critical' : 'passing';
      const flapping = { id: 'a-0', port: 9000, checks: [{ id: 'c', status }] };
      consul.set('web', [flapping, ...instances(5).slice(1)]);
      await pass(100);
    }

    expect(seen.lists.length).to.be.within(5, 60);
    expect(newest(seen)[4]).to.equal(stays);
  });

  describe('saved endpoints', () => {
    let snapshotDirectory: string;

    beforeEach(async () => {
      snapshotDirectory = await mkdtemp(join(tmpdir(), 'outrigger-resolver-'));
      consul.set('web', instances(2));
      const earlier = await ResolverUnderTest.at(consul.address, clock, { snapshotDirectory });
      const seen = earlier.follow('web');
      await soon(() => newest(seen).length === 2, 'no list');
      await earlier.close();
    });

    afterEach(async () => {
      // A resolver writes what waits when it closes.
      await Promise.all(open.splice(0).map((tested) => tested.close()));
      await rm(snapshotDirectory, { recursive: true, force: true });
    });

    it('are used when consul refuses, marked with their age', async () => {
      await consul.down();
      clock.advance(5_000);
      const tested = await start({ snapshotDirectory });
      const seen = tested.follow('web');
      await soon(() => newest(seen).length === 2, 'not used');

      const status = tested.resolver.status('web');
      expect(status?.fromSnapshot).to.equal(true);
      expect(status?.ageMs).to.be.at.least(5_000);
      expect(status?.lastError).to.match(/ECONNREFUSED/);
    });

    it('are used when consul hangs, after a second', async () => {
      consul.always('hang');
      const tested = await start({ snapshotDirectory });
      const seen = tested.follow('web');
      const tookMs = await soon(() => newest(seen).length === 2, 'not used');

      expect(tookMs).to.be.within(900, 1_300);
    });

    it('are not used when consul answers', async () => {
      consul.set('web', instances(1, 'new'));
      const tested = await start({ snapshotDirectory });
      const seen = tested.follow('web');
      await soon(() => seen.lists.length > 0, 'no list');
      await pass(5_000);

      expect(seen.lists.map((list) => list.map(({ id }) => id))).to.deep.equal([
        ['node-new-0/new-0'],
      ]);
    });

    it('guard a start against servers that have not replayed their log', async () => {
      consul.index = 5n;
      consul.replace('web', []);
      const tested = await start({ snapshotDirectory });
      const seen = tested.follow('web');
      await soon(() => seen.lists.length > 0, 'no list');

      expect(newest(seen)).to.have.length(2);
      expect(tested.resolver.status('web')?.quarantine).to.match(/index went back from 101 to 5/);
    });
  });

  it('polls the least used services beyond its budget of watches', async () => {
    const services = ['a', 'b', 'c', 'd'];
    const tested = await start({ maxWatches: 3 });
    for (const service of services) tested.follow(service);
    await soon(() => consul.reads.length >= 4, 'not all asked');
    await pass(60_000);

    const polls = consul.reads.filter(({ path }) => path.endsWith('/d')).length;
    const blocked = consul.reads.filter(({ path }) => path.endsWith('/a')).length;
    expect(polls).to.be.within(5, 8);
    expect(blocked).to.be.at.most(3);
    expect(tested.log.lines).to.deep.equal([
      'warn: too many services for one watch each, this one is polled',
    ]);
  });

  it('stops asking for a service that nobody has followed for a while', async () => {
    consul.set('web', instances(1));
    const tested = await start({ idleMs: 60_000 });
    const seen = tested.follow('web');
    await soon(() => newest(seen).length === 1, 'no list');

    seen.stop();
    await pass(30_000);
    const back = tested.follow('web');
    await soon(() => newest(back).length === 1, 'the watch was not kept');
    back.stop();
    await pass(61_000);

    expect(tested.resolver.status('web')).to.equal(null);
    expect(clock.pending).to.equal(0);
  });

  it('tells a late follower of an outage nothing but the list', async () => {
    consul.set('web', instances(1));
    const tested = await start();
    const first = tested.follow('web');
    await soon(() => newest(first).length === 1, 'no list');
    await consul.down();
    await soon(() => first.errors.length === 1, 'not noticed');

    const late = tested.follow('web');
    await soon(() => newest(late).length === 1, 'no list');

    expect(late.errors).to.deep.equal([]);
  });

  it('tells an error at once where there is nothing else to tell', async () => {
    await consul.down();
    const tested = await start();
    const seen = tested.follow('web');

    const tookMs = await soon(() => seen.errors.length > 0, 'no error');

    expect(tookMs).to.be.below(500);
    expect(tested.resolver.status('web')).to.deep.include({ ageMs: null, fromSnapshot: false });
  });

  it('takes a body of thousands of instances', async () => {
    consul.next({
      headers: { 'x-consul-index': '7', 'x-consul-knownleader': 'true' },
      body: healthBody(instances(5_000)),
    });
    const tested = await start();
    const seen = tested.follow('web');

    await soon(() => newest(seen).length === 5_000, 'no list');
  });
});
