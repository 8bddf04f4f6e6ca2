import { defaultConsulOptions } from '../../discovery/consul/options.ts';
import { defaultDnsOptions } from '../../discovery/dns.ts';
import { registries } from '../../discovery/registries.ts';
import { StaticResolver } from '../../discovery/static.ts';
import { transportTo } from '../support/consul-parts.ts';
import { endpointSpec } from '../support/endpoint-spec.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeConsul } from '../support/fake-consul.ts';
import { FakeDns } from '../support/fake-dns.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { type ResolverScene, resolverContract } from './resolver.ts';

const scenes: Readonly<Record<keyof typeof registries, () => Promise<ResolverScene>>> = {
  consul: consulScene,
  dns: dnsScene,
  static: staticScene,
};

for (const [name, open] of Object.entries(scenes)) {
  describe(`resolver: ${name}`, function () {
    this.timeout(30_000);
    resolverContract(open);
  });
}

function partsWith(clock: FakeClock) {
  return { clock, log: new RecordingLog(), onUpdate: () => undefined };
}

async function consulScene(): Promise<ResolverScene> {
  const clock = new FakeClock();
  const consul = await FakeConsul.start();
  const transport = await transportTo(consul.address, clock);
  return {
    resolver: registries.consul({ ...defaultConsulOptions, transport }, partsWith(clock)),
    clock,
    list(ports) {
      consul.set(
        'web',
        ports.map((port) => ({ id: `web-${port}`, port })),
      );
      return Promise.resolve();
    },
    async breakDown() {
      await consul.down();
      return true;
    },
    repair: () => consul.up(),
    async dispose() {
      transport.close();
      await consul.down();
    },
  };
}

async function dnsScene(): Promise<ResolverScene> {
  const clock = new FakeClock();
  const dns = await FakeDns.start();
  const services = new Map([['web', { kind: 'srv', name: '_web.example' } as const]]);
  dns.records.set('host.example', [{ type: 'A', address: '10.0.0.1', ttl: 1 }]);
  return {
    resolver: registries.dns(
      { ...defaultDnsOptions, services, servers: [dns.address], timeoutMs: 250 },
      partsWith(clock),
    ),
    clock,
    list(ports) {
      const records = ports.map(
        (port) =>
          ({ type: 'SRV', priority: 1, weight: 1, port, target: 'host.example', ttl: 1 }) as const,
      );
      dns.records.set('_web.example', records);
      return Promise.resolve();
    },
    breakDown() {
      dns.mood = 'fail';
      return Promise.resolve(true);
    },
    repair() {
      dns.mood = 'well';
      return Promise.resolve();
    },
    dispose: () => dns.stop(),
  };
}

function staticScene(): Promise<ResolverScene> {
  const clock = new FakeClock();
  const resolver = new StaticResolver({ services: new Map() }, clock, new RecordingLog());
  return Promise.resolve({
    resolver,
    clock,
    list(ports) {
      const endpoints = ports.map((port) => endpointSpec(`127.0.0.1:${port}`, { port }));
      resolver.replace(new Map([['web', endpoints]]));
      return Promise.resolve();
    },
    // A configuration that names the service no more.
    breakDown() {
      resolver.replace(new Map());
      return Promise.resolve(true);
    },
    repair: () => Promise.resolve(),
    dispose: () => Promise.resolve(),
  });
}
