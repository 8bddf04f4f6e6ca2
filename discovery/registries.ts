import type { Clock } from '../telemetry/clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { ConsulOptions } from './consul/options.ts';
import { ConsulResolver } from './consul/resolver.ts';
import type { ConsulTransport } from './consul/transport.ts';
import { type DnsOptions, DnsResolver } from './dns.ts';
import type { Resolver } from './resolver.ts';
import { type StaticOptions, StaticResolver } from './static.ts';
import type { OnUpdate } from './update-result.ts';

/** What every registry is given besides its own options. */
export interface RegistryParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly onUpdate: OnUpdate;
}

/** Every kind of registry, by the name it has in the configuration. */
export const registries = {
  consul: (
    options: ConsulOptions & { readonly transport: ConsulTransport },
    parts: RegistryParts,
  ): Resolver => new ConsulResolver({ options, transport: options.transport, ...parts }),
  dns: (options: DnsOptions, parts: RegistryParts): Resolver =>
    new DnsResolver({ options, ...parts }),
  static: (options: StaticOptions, parts: RegistryParts): Resolver =>
    new StaticResolver(options, parts.clock, parts.log),
};
