import type { DnsTarget } from '../discovery/dns-lookup.ts';
import type { EndpointSpec, Resolver } from '../discovery/resolver.ts';
import type { Clock } from '../telemetry/clock.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ClusterPlan, Clusters } from './clusters.ts';
import { undeclaredUpstream } from './config/resolve.ts';
import type { Config, Route as RouteConfig, Upstream as UpstreamConfig } from './config/schema.ts';
import { inboundPools, outboundPools, poolSettings } from './pools.ts';
import { FORWARD_PROXY, INBOUND, upstreamEntry } from './ports.ts';
import { RetryPolicy } from './retry/policy.ts';
import type { Route } from './route/route.ts';
import { SilenceLimit } from './route/silence.ts';
import { type RouteRule, RouteTable } from './route/table.ts';
import type { Entry, Snapshot } from './snapshot.ts';
import { UndeclaredRoutes } from './undeclared.ts';

/** Services that were called without being declared are forgotten after this long, milliseconds. */
const UNDECLARED_IDLE_MS = 600_000;

/** The long-lived parts a snapshot is made of. */
export interface Parts {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly clusters: Clusters;
  readonly resolvers: Resolvers;
  /** Where we are, as far as it is known. */
  readonly zone: string;
  /** An exception on the data path: costs the connection it happened on. */
  readonly onBug: (error: unknown) => void;
}

/** One resolver for each kind of source. */
export interface Resolvers {
  readonly consul: Resolver | null;
  readonly static: Resolver;
  readonly dns: Resolver;
}

/**
 * Compiles a configuration into what requests start with. Clusters of the same name and source are
 * taken over with their connections and counts; those that nothing names any more are ended.
 */
export function buildSnapshot(config: Config, generation: number, parts: Parts): Snapshot {
  const entries = new Map<string, Entry>();
  const wanted = new Set<string>();
  if (config.inbound.appPort !== null) {
    wanted.add(INBOUND);
    entries.set(INBOUND, inboundEntry(config, parts));
  }
  const routes = new Map<string, Route>();
  for (const upstream of config.upstreams) {
    wanted.add(upstream.name);
    const route = outboundRoute(upstream, config, parts);
    routes.set(upstream.name, route);
    if (upstream.port === null) continue;
    entries.set(upstreamEntry(upstream.name), outboundEntry(new RouteTable([anyTo(route)]), parts));
  }
  if (config.forwardProxy.enabled) {
    entries.set(FORWARD_PROXY, outboundEntry(forwardTable(config, routes, parts), parts));
  }
  for (const { service } of config.routes) wanted.add(service);
  for (const cluster of parts.clusters) {
    if (!wanted.has(cluster.name)) parts.clusters.retire(cluster.name);
  }
  const closed = outboundEntry(new RouteTable([]), parts);
  return { generation, zone: parts.zone, entries, closed };
}

function forwardTable(
  config: Config,
  routes: ReadonlyMap<string, Route>,
  parts: Parts,
): RouteTable {
  const rules: RouteRule[] = [];
  for (const rule of config.routes) {
    const upstream = config.upstreams.find((candidate) => candidate.name === rule.service);
    const route =
      upstream === undefined
        ? outboundRoute(undeclaredUpstream(rule.service, config), config, parts, rule)
        : outboundRoute(upstream, config, parts, rule);
    rules.push({ host: rule.host, path: rule.path, headers: rule.headers.map(condition), route });
  }
  for (const [name, route] of routes) {
    rules.push({ ...anyTo(route), host: name }, { ...anyTo(route), host: `${name}.outrigger` });
  }
  const open = config.forwardProxy.allowUndeclared && parts.resolvers.consul !== null;
  if (!open) return new RouteTable(rules);
  const named = new Set(config.routes.map(({ service }) => service));
  const undeclared = new UndeclaredRoutes(
    parts.clock,
    UNDECLARED_IDLE_MS,
    (service) => outboundRoute(undeclaredUpstream(service, config), config, parts),
    (service) => {
      if (!named.has(service)) parts.clusters.retire(service);
    },
  );
  return new RouteTable(rules, (host) => undeclared.match(host));
}

function condition(from: RouteConfig['headers'][number]): RouteRule['headers'][number] {
  if (from.exact !== undefined) return { name: from.name, kind: 'exact', value: from.exact };
  if (from.prefix !== undefined) return { name: from.name, kind: 'prefix', value: from.prefix };
  return { name: from.name, kind: 'present', value: '' };
}

function anyTo(route: Route): RouteRule {
  return { host: null, path: null, headers: [], route };
}

function outboundEntry(table: RouteTable, parts: Parts): Entry {
  return {
    direction: 'outbound',
    table,
    unrouted: parts.metrics.requestCells({
      direction: 'outbound',
      service: '',
      serverAddress: '',
      serverPort: 0,
      template: null,
      scheme: 'http',
    }),
    trustIncoming: true,
    trustPlaintext: true,
  };
}

function outboundRoute(
  upstream: UpstreamConfig,
  config: Config,
  parts: Parts,
  rule: RouteConfig | null = null,
): Route {
  const cluster = parts.clusters.ensure(outboundPlan(upstream, config, parts));
  const { retries } = upstream;
  return {
    name: rule?.name ?? upstream.name,
    direction: 'outbound',
    service: upstream.name,
    cluster,
    timeoutMs: rule?.timeoutMs ?? upstream.timeoutMs,
    perTryTimeoutMs: rule?.perTryTimeoutMs ?? upstream.perTryTimeoutMs,
    silence: new SilenceLimit(rule?.idleTimeoutMs ?? upstream.idleTimeoutMs, parts.clock),
    holdStartMs: config.holdStartMs,
    maxBodyBytes: orInfinite(rule?.maxBodyBytes ?? upstream.maxBodyBytes),
    replayBytes: retries.max === 0 ? 0 : retries.replayBytes,
    retries: new RetryPolicy(retries),
    template: rule?.template ?? null,
    untraced: rule?.untraced ?? false,
    cells: parts.metrics.requestCells({
      direction: 'outbound',
      service: upstream.name,
      serverAddress: upstream.service,
      serverPort: upstream.port ?? 80,
      template: rule?.template ?? null,
      scheme: 'http',
    }),
  };
}

function outboundPlan(upstream: UpstreamConfig, config: Config, parts: Parts): ClusterPlan {
  return {
    options: {
      name: upstream.name,
      zone: parts.zone,
      balancing: upstream.balancing,
      outliers: upstream.outliers,
      limits: upstream.limits,
      retries: upstream.retries,
    },
    ...sourceOf(upstream, parts.resolvers),
    makeUpstream: outboundPools(upstream, config, parts),
    upstreamSettings: poolSettings(upstream),
  };
}

function sourceOf(
  { name, service, resolver, dns }: UpstreamConfig,
  resolvers: Resolvers,
): Pick<ClusterPlan, 'resolver' | 'listedAs'> {
  if (resolver === 'static') return { resolver: resolvers.static, listedAs: name };
  if (resolver === 'dns' && dns !== null) return { resolver: resolvers.dns, listedAs: dnsKey(dns) };
  if (resolvers.consul === null)
    throw new Error(`upstream ${name} needs consul, which is disabled`);
  return { resolver: resolvers.consul, listedAs: service };
}

/** Retries towards our own application mend only the race with its keep-alive limit: there is no other endpoint. */
const INBOUND_RETRIES = { max: 1, on: [], baseMs: 0, maxMs: 0 } as const;

function inboundEntry(config: Config, parts: Parts): Entry {
  const { clock, metrics } = parts;
  const { inbound, service } = config;
  const { limits } = inbound;
  const cluster = parts.clusters.ensure({
    options: {
      name: INBOUND,
      zone: '',
      balancing: { ...config.balancing, policy: 'random', zone: 'ignore', panicThreshold: 0 },
      outliers: null,
      limits,
      retries: config.retries,
    },
    resolver: parts.resolvers.static,
    listedAs: INBOUND,
    makeUpstream: inboundPools(config, parts),
    upstreamSettings: poolSettings(inbound),
  });
  const route: Route = {
    name: INBOUND,
    direction: 'inbound',
    service: service.name,
    cluster,
    timeoutMs: inbound.timeoutMs,
    perTryTimeoutMs: 0,
    silence: new SilenceLimit(inbound.idleTimeoutMs, clock),
    holdStartMs: config.holdStartMs,
    maxBodyBytes: orInfinite(inbound.maxBodyBytes),
    replayBytes: config.retries.replayBytes,
    retries: new RetryPolicy(INBOUND_RETRIES),
    template: null,
    untraced: false,
    cells: metrics.requestCells({
      direction: 'inbound',
      service: service.name,
      serverAddress: service.name,
      serverPort: inbound.port,
      template: null,
      scheme: 'http',
    }),
  };
  return {
    direction: 'inbound',
    table: new RouteTable([anyTo(route)]),
    unrouted: route.cells,
    trustIncoming: config.trace.trustIncoming,
    trustPlaintext: config.trust.plaintextPeers,
  };
}

/** The lists of the `static` resolver: the application, and every upstream that names its endpoints. */
export function staticServices(config: Config): ReadonlyMap<string, readonly EndpointSpec[]> {
  const services = new Map<string, readonly EndpointSpec[]>();
  const { appHost, appPort } = config.inbound;
  if (appPort !== null) {
    services.set(INBOUND, [
      staticSpec({ address: appHost, port: appPort, weight: 1, zone: '', region: '' }),
    ]);
  }
  for (const upstream of config.upstreams) {
    if (upstream.resolver === 'static')
      services.set(upstream.name, upstream.endpoints.map(staticSpec));
  }
  return services;
}

/** What the `dns` resolver follows, by `dnsKey`, so that another name is another service. */
export function dnsServices(config: Config): ReadonlyMap<string, DnsTarget> {
  const services = new Map<string, DnsTarget>();
  for (const { resolver, dns } of config.upstreams) {
    if (resolver === 'dns' && dns !== null) services.set(dnsKey(dns), dnsTarget(dns));
  }
  return services;
}

function dnsKey({ type, name, port }: DnsConfig): string {
  return `${type} ${name}:${port ?? ''}`;
}

function dnsTarget({ type, name, port }: DnsConfig): DnsTarget {
  return type === 'SRV' || port === null
    ? { kind: 'srv', name }
    : { kind: 'address', name, port, family: type === 'A' ? 'ipv4' : 'ipv6' };
}

type DnsConfig = NonNullable<UpstreamConfig['dns']>;

function staticSpec(endpoint: UpstreamConfig['endpoints'][number]): EndpointSpec {
  return {
    ...endpoint,
    id: `${endpoint.address}:${endpoint.port}`,
    health: 'passing',
    tags: [],
    meta: new Map(),
  };
}

function orInfinite(limit: number): number {
  return limit === 0 ? Number.POSITIVE_INFINITY : limit;
}
