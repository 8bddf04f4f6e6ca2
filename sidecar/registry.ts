import { type AccessOutcome, readAccess } from '../discovery/consul/access.ts';
import { ConsulClient } from '../discovery/consul/client.ts';
import { defaultConsulOptions } from '../discovery/consul/options.ts';
import { Registration } from '../discovery/consul/register.ts';
import { ConsulResolver } from '../discovery/consul/resolver.ts';
import { ConsulTransport } from '../discovery/consul/transport.ts';
import type { Clock } from '../telemetry/clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Config } from './config/schema.ts';

/** What callers' sidecars may use on this instance; `h1` stands for strict HTTP/1.1. */
const CAPABILITIES = ['h1'] as const;
/** A service of 60,000 instances; larger answers are refused unread. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** Consul removes an instance that has been critical for this long, milliseconds. */
const DEREGISTER_AFTER_MS = 300_000;

export interface RegistryParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Consul, as this sidecar uses it: one connection pool for following services and for our own registration. */
export class Registry {
  readonly resolver: ConsulResolver;
  /** Null when this sidecar registers nothing. */
  readonly registration: Registration | null;
  readonly #transport: ConsulTransport;

  private constructor(
    resolver: ConsulResolver,
    registration: Registration | null,
    transport: ConsulTransport,
  ) {
    this.resolver = resolver;
    this.registration = registration;
    this.#transport = transport;
  }

  /** Reads how Consul is reached, which is all that can go wrong here; nothing is sent yet. */
  static async open(
    config: Config,
    parts: RegistryParts,
  ): Promise<Registry | { readonly problem: string }> {
    const outcome = await accessOf(config);
    if (!outcome.ok) return { problem: outcome.problem };
    const { clock, log, metrics } = parts;
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
      onUpdate: (service, result) =>
        metrics.counter('outrigger_discovery_updates_total', service, result).add(),
    });
    const registers = consul.register && config.inbound.appPort !== null;
    const registration = registers ? registrationOf(config, transport, parts) : null;
    return new Registry(resolver, registration, transport);
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

function registrationOf(
  { service, inbound, consul }: Config,
  transport: ConsulTransport,
  { clock, log }: RegistryParts,
): Registration {
  return new Registration({
    options: {
      id: instanceId(service, inbound.port),
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
      httpCheck: null,
    },
    transport,
    client: new ConsulClient(transport),
    clock,
    log,
    consulVersion: null,
  });
}

/** Id of this instance in the registry: the configured one, else name and inbound port. */
export function instanceId(service: Config['service'], port: number): string {
  return service.id === '' ? `${service.name}-${port}` : service.id;
}
