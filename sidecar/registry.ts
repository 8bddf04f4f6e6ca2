import { type AccessOutcome, readAccess } from '../discovery/consul/access.ts';
import { Attachment } from '../discovery/consul/attach.ts';
import { ConsulClient } from '../discovery/consul/client.ts';
import type { Membership } from '../discovery/consul/membership.ts';
import { defaultConsulOptions } from '../discovery/consul/options.ts';
import { Registration } from '../discovery/consul/register.ts';
import { ConsulResolver } from '../discovery/consul/resolver.ts';
import { ConsulTransport } from '../discovery/consul/transport.ts';
import type { Clock } from '../telemetry/clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { probeApplication } from './app-probe.ts';
import type { Config } from './config/schema.ts';

/** What callers' sidecars may use on this instance; `h1` stands for strict HTTP/1.1. */
const CAPABILITIES = ['h1'] as const;
/** A service of 15,000 instances; a larger answer would hold the event loop while it is parsed, and is refused unread. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** Consul removes an instance that has been critical for this long, milliseconds. */
const DEREGISTER_AFTER_MS = 300_000;

export interface RegistryParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Requests of a service since the start: who keeps a watch of its own when there are too many. */
  readonly usage: (service: string) => number;
}

/** Consul, as this sidecar uses it: one connection pool for following services and for our own registration. */
export class Registry {
  readonly resolver: ConsulResolver;
  /** Null for a sidecar without an application, which nobody calls. */
  readonly membership: Membership | null;
  readonly #transport: ConsulTransport;

  private constructor(
    resolver: ConsulResolver,
    membership: Membership | null,
    transport: ConsulTransport,
  ) {
    this.resolver = resolver;
    this.membership = membership;
    this.#transport = transport;
  }

  /** Reads how Consul is reached, which is all that can go wrong here; nothing is sent yet. */
  static async open(
    config: Config,
    parts: RegistryParts,
  ): Promise<Registry | { readonly problem: string }> {
    const outcome = await accessOf(config);
    if (!outcome.ok) return { problem: outcome.problem };
    const { clock, log, metrics, usage } = parts;
    const transport = new ConsulTransport({
      access: outcome.access,
      clock,
      maxWatches: config.consul.maxWatches,
      maxBodyBytes: MAX_ANSWER_BYTES,
    });
    const { consul } = config;
    const resolver = new ConsulResolver({
      options: {
        ...defaultConsulOptions,
        zoneKey: consul.zoneKey,
        maxWatches: consul.maxWatches,
        quarantine: consul.quarantine,
        snapshotDirectory: consul.snapshotDir === '' ? null : consul.snapshotDir,
      },
      transport,
      clock,
      log,
      usage,
      onUpdate: (service, result) =>
        metrics.counter('outrigger_discovery_updates_total', service, result).add(),
    });
    return new Registry(resolver, membershipOf(config, transport, parts), transport);
  }

  async close(): Promise<void> {
    await this.resolver.close();
    this.#transport.close();
  }
}

/** The configuration has taken in the environment; discovery speaks of access in Consul's own names. */
function accessOf({ consul }: Config): Promise<AccessOutcome> {
  const { tls } = consul;
  return readAccess(
    {
      address: consul.address,
      ...(consul.datacenter === '' ? {} : { datacenter: consul.datacenter }),
    },
    {
      CONSUL_HTTP_TOKEN: consul.token,
      CONSUL_HTTP_TOKEN_FILE: consul.tokenFile,
      CONSUL_NAMESPACE: consul.namespace,
      CONSUL_PARTITION: consul.partition,
      CONSUL_HTTP_SSL_VERIFY: String(tls.verify),
      CONSUL_CACERT: tls.caFile,
      CONSUL_CAPATH: tls.caPath,
      CONSUL_CLIENT_CERT: tls.certFile,
      CONSUL_CLIENT_KEY: tls.keyFile,
      CONSUL_TLS_SERVER_NAME: tls.serverName,
    },
  );
}

function membershipOf(
  { service, inbound, consul }: Config,
  transport: ConsulTransport,
  { clock, log }: RegistryParts,
): Membership | null {
  const { appHost, appPort } = inbound;
  if (appPort === null) return null;
  const id = instanceId(service, inbound.port);
  const client = new ConsulClient(transport);
  if (!consul.register) return new Attachment({ id, client, clock, log });
  return new Registration({
    options: {
      id,
      name: service.name,
      address: service.address,
      port: inbound.port,
      tags: service.tags,
      meta: new Map(Object.entries(service.meta)),
      zone: service.zone,
      region: service.region,
      zoneKey: consul.zoneKey,
      regionKey: defaultConsulOptions.regionKey,
      capabilities: CAPABILITIES,
      weights: service.weights,
      ttlMs: consul.checkTtlMs,
      deregisterAfterMs: DEREGISTER_AFTER_MS,
    },
    transport,
    client,
    clock,
    log,
    consulVersion: null,
    problem: () => probeApplication(appHost, appPort),
  });
}

/** Id of this instance in the registry: the configured one, else name and inbound port. */
export function instanceId(service: Config['service'], port: number): string {
  return service.id === '' ? `${service.name}-${port}` : service.id;
}
