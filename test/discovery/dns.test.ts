import { expect } from 'chai';
import { type DnsOptions, DnsResolver, defaultDnsOptions } from '../../discovery/dns.ts';
import type { DnsTarget } from '../../discovery/dns-lookup.ts';
import type { EndpointSpec, Resolution } from '../../discovery/resolver.ts';
import { advanceUntil } from '../support/advance-until.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeDns } from '../support/fake-dns.ts';
import { RecordingLog } from '../support/recording-log.ts';

const HOST: DnsTarget = { kind: 'address', name: 'host.example', port: 80, family: 'ipv4' };
const SERVICE: DnsTarget = { kind: 'srv', name: '_web._tcp.example' };

describe('dns resolver', function () {
  this.timeout(30_000);
  let clock: FakeClock;
  let dns: FakeDns;
  let log: RecordingLog;
  let open: DnsResolver[];
  let told: Resolution[];

  beforeEach(async () => {
    clock = new FakeClock();
    dns = await FakeDns.start();
    log = new RecordingLog();
    open = [];
    told = [];
  });

  afterEach(async () => {
    await Promise.all(open.map((resolver) => resolver.close()));
    await dns.stop();
  });

  function follow(target: DnsTarget, options: Partial<DnsOptions> = {}): DnsResolver {
    const resolver = new DnsResolver({
      options: {
        ...defaultDnsOptions,
        servers: [dns.address],
        timeoutMs: 250,
        services: new Map([['web', target]]),
        ...options,
      },
      clock,
      log,
    });
    open.push(resolver);
    resolver.watch('web', (resolution) => told.push(resolution));
    return resolver;
  }

  function soon(condition: () => boolean, stepMs = 10): Promise<number> {
    return advanceUntil(clock, condition, () => JSON.stringify({ told, asked: dns.asked }), {
      stepMs,
    });
  }

  function list(): readonly EndpointSpec[] {
    const lists = told.filter((resolution) => resolution.ok);
    return lists.at(-1)?.endpoints ?? [];
  }

  function a(...addresses: readonly string[]) {
    return addresses.map((address) => ({ type: 'A', address, ttl: 5 }) as const);
  }

  function srv(priority: number, weight: number, port: number, target: string) {
    return { type: 'SRV', priority, weight, port, target, ttl: 5 } as const;
  }

  it('makes an endpoint of each address', async () => {
    dns.records.set('host.example', a('10.0.0.2', '10.0.0.1'));
    follow(HOST);
    await soon(() => list().length === 2);

    expect(list().map(({ id, address, port }) => ({ id, address, port }))).to.deep.equal([
      { id: '10.0.0.1:80', address: '10.0.0.1', port: 80 },
      { id: '10.0.0.2:80', address: '10.0.0.2', port: 80 },
    ]);
  });

  it('takes an address that is written out as it is, without asking', async () => {
    follow({ kind: 'address', name: '::1', port: 80, family: 'any' });
    await soon(() => list().length === 1);

    expect(list()[0]).to.deep.include({ id: '[::1]:80', address: '::1' });
    expect(dns.asked).to.deep.equal([]);
  });

  it('asks again when the time to live is over, within its bounds', async () => {
    dns.records.set('host.example', [{ type: 'A', address: '10.0.0.1', ttl: 5 }]);
    follow(HOST);
    await soon(() => list().length === 1);
    dns.records.set('host.example', [{ type: 'A', address: '10.0.0.2', ttl: 86_400 }]);
    const firstMs = await soon(() => list()[0]?.address === '10.0.0.2', 20);
    dns.records.set('host.example', [{ type: 'A', address: '10.0.0.3', ttl: 0 }]);
    const secondMs = await soon(() => list()[0]?.address === '10.0.0.3', 50);
    dns.records.set('host.example', a('10.0.0.4'));
    const thirdMs = await soon(() => list()[0]?.address === '10.0.0.4', 10);

    expect(firstMs).to.be.within(4_900, 6_500);
    expect(secondMs).to.be.within(29_500, 38_000);
    expect(thirdMs).to.be.within(900, 2_500);
  });

  it('takes ports and weights from SRV records of the best priority', async () => {
    dns.records.set('a.example', a('10.0.0.1'));
    dns.records.set('b.example', a('10.0.0.2'));
    dns.records.set('spare.example', a('10.0.0.3'));
    dns.records.set('_web._tcp.example', [
      srv(10, 5, 8001, 'a.example'),
      srv(10, 0, 8002, 'b.example'),
      srv(20, 5, 8003, 'spare.example'),
    ]);
    follow(SERVICE);
    await soon(() => list().length === 2);

    expect(list().map(({ id, weight }) => [id, weight])).to.deep.equal([
      ['10.0.0.1:8001', 5],
      ['10.0.0.2:8002', 1],
    ]);
  });

  for (const mood of ['fail', 'silent'] as const) {
    it(`keeps the last addresses while the server ${mood === 'fail' ? 'fails' : 'is silent'}`, async () => {
      dns.records.set('host.example', a('10.0.0.1'));
      const resolver = follow({ ...HOST, family: 'any' });
      await soon(() => list().length === 1);
      dns.mood = mood;
      dns.asked.length = 0;
      await soon(() => resolver.status('web')?.lastError !== null, 50);
      dns.mood = 'well';
      dns.records.set('host.example', a('10.0.0.1', '10.0.0.2'));
      await soon(() => list().length === 2, 50);

      expect(told.map(({ ok }) => ok)).to.deep.equal([true, false, true]);
      expect(log.lines).to.deep.equal([
        'warn: a dns lookup fails, the last addresses stay',
        'info: dns answers again',
      ]);
    });
  }

  it('keeps the addresses of one host whose lookup fails while another changes', async () => {
    dns.records.set('a.example', a('10.0.0.1'));
    dns.records.set('b.example', a('10.0.0.2'));
    const both = [srv(1, 1, 80, 'a.example'), srv(1, 1, 80, 'b.example')];
    dns.records.set('_web._tcp.example', both);
    const resolver = follow(SERVICE);
    await soon(() => list().length === 2);

    dns.failing.add('a.example');
    dns.records.set('b.example', a('10.0.0.2', '10.0.0.3'));
    await soon(() => list().length === 3, 50);

    expect(list().map(({ address }) => address)).to.deep.equal([
      '10.0.0.1',
      '10.0.0.2',
      '10.0.0.3',
    ]);
    expect(resolver.status('web')?.lastError).to.equal(null);
  });

  it('keeps the last addresses when the name is gone', async () => {
    dns.records.set('host.example', a('10.0.0.1'));
    const resolver = follow(HOST);
    await soon(() => list().length === 1);

    dns.records.clear();
    await soon(() => resolver.status('web')?.lastError !== null, 50);

    expect(list()).to.have.length(1);
    expect(told.at(-1)?.ok).to.equal(false);
  });

  it('says that a service has no name', async () => {
    const resolver = follow(HOST, { services: new Map() });
    await soon(() => told.length === 1);

    expect(told[0]?.ok).to.equal(false);
    expect(resolver.status('web')?.lastError).to.match(/no dns name .*"web"/);
  });

  it('ends while a lookup waits for a silent server', async () => {
    dns.mood = 'silent';
    const resolver = follow(HOST, { timeoutMs: 60_000 });
    await soon(() => dns.asked.length > 0);

    await resolver.close();

    expect(told).to.deep.equal([]);
    expect(clock.pending).to.equal(0);
  });
});
