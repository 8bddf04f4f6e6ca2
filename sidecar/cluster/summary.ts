import type { UpstreamStats } from '../upstream/upstream.ts';
import type { Cluster } from './cluster.ts';
import type { Endpoint } from './endpoint.ts';

/** A cluster at one moment. The admin API shows these fields, so they are added to and never renamed. */
export interface ClusterSummary {
  readonly name: string;
  readonly policy: string;
  readonly zoneRule: string;
  readonly members: number;
  readonly usable: number;
  readonly panic: boolean;
  readonly inFlight: number;
  /** Since the start: requests ended, those that failed (5xx or no answer), retries sent, retries denied. */
  readonly requests: number;
  readonly failures: number;
  readonly retries: number;
  readonly retriesDenied: number;
  readonly retryTokens: number;
  readonly ejections: number;
  /** Of the answers of the last ten seconds or so, null without any. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly zones: readonly ZoneSummary[];
  readonly endpoints: readonly EndpointSummary[];
}

/** The members of one zone. */
export interface ZoneSummary {
  readonly zone: string;
  readonly local: boolean;
  readonly members: number;
  readonly usable: number;
  /** Sent there since the start. */
  readonly attempts: number;
}

/** One endpoint at one moment. */
export interface EndpointSummary {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly zone: string;
  readonly weight: number;
  readonly state: 'usable' | 'ejected' | 'critical' | 'maintenance';
  readonly active: number;
  readonly attempts: number;
  readonly failures: number;
  readonly ejections: number;
  /** Left of the present ejection; 0 when not ejected, and while it waits for its trial. */
  readonly ejectedForMs: number;
  readonly connections: UpstreamStats;
}

/** `now` is clock time. */
export function summarize(cluster: Cluster, now: number): ClusterSummary {
  return {
    name: cluster.name,
    policy: cluster.policy,
    zoneRule: cluster.options.balancing.zone,
    members: cluster.members.length,
    usable: cluster.usable,
    panic: cluster.panic,
    inFlight: cluster.limits.active,
    ...cluster.counters,
    retryTokens: cluster.budget.tokens,
    ejections: cluster.ejector.ledger.ejections,
    p50Ms: cluster.latency.quantile(0.5),
    p99Ms: cluster.latency.quantile(0.99),
    zones: zonesOf(cluster),
    endpoints: cluster.members.map((endpoint) => summarizeEndpoint(endpoint, now)),
  };
}

function zonesOf(cluster: Cluster): ZoneSummary[] {
  const zones = new Map<string, { members: number; usable: number }>();
  for (const endpoint of cluster.members) {
    const { zone } = endpoint.spec;
    const counts = zones.get(zone) ?? { members: 0, usable: 0 };
    counts.members++;
    if (standing(endpoint) === 'usable') counts.usable++;
    zones.set(zone, counts);
  }
  return Array.from(zones, ([zone, counts]) => ({
    zone,
    local: zone !== '' && zone === cluster.options.zone,
    ...counts,
    attempts: cluster.load.attempts(zone),
  }));
}

function summarizeEndpoint(endpoint: Endpoint, now: number): EndpointSummary {
  const { id, address, port, zone, weight } = endpoint.spec;
  return {
    id,
    address,
    port,
    zone,
    weight,
    state: standing(endpoint),
    active: endpoint.inflight,
    attempts: endpoint.attempts,
    failures: endpoint.failures,
    ejections: endpoint.ejections,
    ejectedForMs: Math.max(0, endpoint.ejectedUntil - now),
    connections: endpoint.upstream.stats,
  };
}

function standing(endpoint: Endpoint): EndpointSummary['state'] {
  if (endpoint.spec.health !== 'passing') return endpoint.spec.health;
  return endpoint.ejectedUntil > 0 ? 'ejected' : 'usable';
}
