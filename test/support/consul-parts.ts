import { readAccess } from '../../discovery/consul/access.ts';
import { ConsulClient } from '../../discovery/consul/client.ts';
import type { ConsulOptions } from '../../discovery/consul/options.ts';
import { defaultConsulOptions } from '../../discovery/consul/options.ts';
import { Registration } from '../../discovery/consul/register.ts';
import type { RegistrationOptions } from '../../discovery/consul/registration-body.ts';
import { ConsulResolver } from '../../discovery/consul/resolver.ts';
import { ConsulTransport } from '../../discovery/consul/transport.ts';
import type { EndpointSpec } from '../../discovery/resolver.ts';
import type { UpdateResult } from '../../discovery/update-result.ts';
import type { Clock } from '../../telemetry/clock.ts';
import { RecordingLog } from './recording-log.ts';

/** A transport to a Consul at `host:port`, nothing taken from this machine's environment. */
export async function transportTo(
  address: string,
  clock: Clock,
  environment: Record<string, string> = {},
): Promise<ConsulTransport> {
  const outcome = await readAccess({ address }, environment);
  if (!outcome.ok) throw new Error(outcome.problem);
  return new ConsulTransport({
    access: outcome.access,
    clock,
    maxWatches: 40,
    maxBodyBytes: 16 * 1024 * 1024,
  });
}

/** A resolver on a Consul, with everything it said and counted. */
export class ResolverUnderTest {
  readonly log = new RecordingLog();
  readonly updates: UpdateResult[] = [];
  readonly resolver: ConsulResolver;
  readonly transport: ConsulTransport;

  private constructor(transport: ConsulTransport, clock: Clock, options: Partial<ConsulOptions>) {
    this.transport = transport;
    this.resolver = new ConsulResolver({
      options: { ...defaultConsulOptions, ...options },
      transport,
      clock,
      log: this.log,
      onUpdate: (_service, result) => this.updates.push(result),
    });
  }

  static async at(
    address: string,
    clock: Clock,
    options: Partial<ConsulOptions> = {},
    environment: Record<string, string> = {},
  ): Promise<ResolverUnderTest> {
    return new ResolverUnderTest(await transportTo(address, clock, environment), clock, options);
  }

  /** Follows a service and keeps what it is told. */
  follow(service: string): Followed {
    const followed: Followed = { lists: [], errors: [], stop: () => undefined, smallest: Infinity };
    followed.stop = this.resolver.watch(service, (resolution) => {
      if (!resolution.ok) {
        followed.errors.push(resolution.error);
        return;
      }
      followed.lists.push(resolution.endpoints);
      followed.smallest = Math.min(followed.smallest, resolution.endpoints.length);
    });
    return followed;
  }

  async close(): Promise<void> {
    await this.resolver.close();
    this.transport.close();
  }
}

export interface Followed {
  readonly lists: (readonly EndpointSpec[])[];
  readonly errors: Error[];
  stop: () => void;
  /** Length of the shortest list since the start, or since it was set anew. */
  smallest: number;
}

export function newest(followed: Followed): readonly EndpointSpec[] {
  return followed.lists.at(-1) ?? [];
}

export const webRegistration: RegistrationOptions = {
  id: 'web-1',
  name: 'web',
  address: '10.0.0.5',
  port: 15006,
  tags: ['v1'],
  meta: new Map([['version', '1.2.3']]),
  zone: 'eu-a',
  region: 'eu',
  zoneKey: 'zone',
  regionKey: 'region',
  capabilities: ['h2', 'load'],
  weights: { passing: 10, warning: 1 },
  ttlMs: 15_000,
  deregisterAfterMs: 300_000,
};

export function registrationAt(
  transport: ConsulTransport,
  clock: Clock,
  options: Partial<RegistrationOptions> = {},
  log = new RecordingLog(),
  problem = (): Promise<string | null> => Promise.resolve(null),
): Registration {
  return new Registration({
    options: { ...webRegistration, ...options },
    transport,
    client: new ConsulClient(transport),
    clock,
    log,
    consulVersion: null,
    problem,
  });
}

/** Puts instances `from` to `to - 1`, passing, each on a synthetic node, straight into the catalogue. */
export async function registerInCatalog(
  address: string,
  service: string,
  from: number,
  to: number,
): Promise<void> {
  const all = Array.from({ length: to - from }, (_, i) => from + i);
  for (let i = 0; i < all.length; i += AT_ONCE) {
    await Promise.all(all.slice(i, i + AT_ONCE).map((n) => registerOne(address, service, n)));
  }
}

const AT_ONCE = 16;

async function registerOne(address: string, service: string, n: number): Promise<void> {
  const id = `${service}-${n}`;
  const response = await fetch(`http://${address}/v1/catalog/register`, {
    method: 'PUT',
    body: JSON.stringify({
      Node: `node-${n}`,
      Address: '10.1.0.1',
      Service: { ID: id, Service: service, Port: 9000 + n, Meta: { zone: 'a' } },
      Checks: [{ Node: `node-${n}`, CheckID: id, ServiceID: id, Status: 'passing' }],
    }),
  });
  if ((await response.text()) !== 'true') throw new Error(`consul refused instance ${n}`);
}

/** Takes a synthetic node and all that is on it out of the catalogue; fine when there is none. */
export async function removeFromCatalog(address: string, node: string): Promise<void> {
  const response = await fetch(`http://${address}/v1/catalog/deregister`, {
    method: 'PUT',
    body: JSON.stringify({ Node: node }),
  });
  await response.text();
}
