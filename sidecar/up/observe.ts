import type { ClustersView, ClusterView } from '../admin/views.ts';
import type { Call, MeshPlan, PlannedInstance } from './plan.ts';

/** What every sidecar's `/clusters` said at one moment; one that did not answer is absent. */
export interface Sample {
  readonly atMs: number;
  readonly sidecars: ReadonlyMap<string, ClustersView>;
}

/** One line of "who calls whom", over all instances of the caller and the last seconds. */
export interface CallState extends Call {
  readonly requestsPerSecond: number;
  readonly failuresPerSecond: number;
  readonly retriesPerSecond: number;
  /** Weighted by the callers' request rates; null without traffic. */
  readonly p50Ms: number | null;
  /** Of the worst caller. */
  readonly p99Ms: number | null;
  /** Share of attempts that stayed in the caller's zone, 0–1; null without traffic. */
  readonly sameZone: number | null;
  /** Endpoints that at least one caller has ejected now, by instance. */
  readonly ejected: readonly string[];
  readonly panic: boolean;
}

/** One instance as its own sidecar sees it. */
export interface InstanceState {
  readonly id: string;
  readonly zone: string;
  readonly adminPort: number;
  /** False when its sidecar did not answer. */
  readonly answering: boolean;
  readonly requestsPerSecond: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** How many callers have ejected it, out of how many that know it. */
  readonly ejectedBy: number;
  readonly knownBy: number;
  /** For how many callers the registry lists it as critical or in maintenance. */
  readonly criticalFor: number;
}

/** The mesh as the view shows it; every number comes from the sidecars. */
export interface MeshState {
  readonly calls: readonly CallState[];
  /** The edge first. */
  readonly instances: readonly InstanceState[];
  /** Age of the oldest endpoint list, null before the first. */
  readonly discoveryAgeMs: number | null;
  /** Lists in which removals are held back. */
  readonly quarantined: number;
  /** Since the start: what the edge was asked for and what of it failed; then all sidecars. */
  readonly requests: number;
  readonly failures: number;
  readonly retries: number;
  readonly ejections: number;
}

/** Reads rates off two samples: growth of counters over the time between them. */
export function observe(plan: MeshPlan, before: Sample, now: Sample): MeshState {
  const planned = [plan.edge, ...plan.instances];
  const periods = new Map<string, Period>();
  for (const [id, view] of now.sidecars) {
    periods.set(id, periodOf(before.sidecars.get(id), view, (now.atMs - before.atMs) / 1000));
  }
  const links = planned.flatMap((it) => linksOf(it.service, periods.get(it.id)));
  const outbound = links.map((it) => it.cluster);
  const resolvers = outbound.flatMap((it) => (it.resolver === null ? [] : [it.resolver]));
  const ages = resolvers.flatMap((it) => (it.ageMs === null ? [] : [it.ageMs]));
  const entry = links.filter((it) => it.caller === plan.edge.service);
  return {
    calls: plan.calls.map((call) => callState(call, plan, links)),
    instances: planned.map((it) => instanceState(it, periods.get(it.id), outbound)),
    requests: total(entry, (it) => it.cluster.requests),
    failures: total(entry, (it) => it.cluster.failures),
    retries: total(outbound, (it) => it.retries),
    ejections: total(outbound, (it) => it.ejections),
    discoveryAgeMs: ages.length === 0 ? null : Math.max(...ages),
    quarantined: resolvers.filter((it) => it.quarantine !== null).length,
  };
}

/** What one sidecar counted from when on. */
interface Period {
  readonly now: ClustersView;
  /** Null: counted from the sidecar's start. */
  readonly before: ClustersView | null;
  readonly seconds: number;
}

/** A sidecar that was not there before, or is younger than it was, has counted since its own start. */
function periodOf(before: ClustersView | undefined, now: ClustersView, seconds: number): Period {
  const restarted = before === undefined || before.uptimeMs > now.uptimeMs;
  return restarted
    ? { now, before: null, seconds: Math.max(0.001, now.uptimeMs / 1000) }
    : { now, before, seconds: Math.max(0.001, seconds) };
}

/** One caller instance and one service it calls. */
interface Link {
  readonly caller: string;
  readonly cluster: ClusterView;
  readonly requestsPerSecond: number;
  readonly failuresPerSecond: number;
  readonly retriesPerSecond: number;
  readonly localAttempts: number;
  readonly attempts: number;
}

function linksOf(caller: string, period: Period | undefined): Link[] {
  if (period === undefined) return [];
  const outbound = period.now.clusters.filter((it) => it.direction === 'outbound');
  return outbound.map((cluster) => {
    const old = sameCluster(period.before, cluster);
    const zones = cluster.zones.map(({ zone, local, attempts }) => {
      const sent = attempts - (old?.zones.find((it) => it.zone === zone)?.attempts ?? 0);
      return { local, sent };
    });
    return {
      caller,
      cluster,
      requestsPerSecond: (cluster.requests - (old?.requests ?? 0)) / period.seconds,
      failuresPerSecond: (cluster.failures - (old?.failures ?? 0)) / period.seconds,
      retriesPerSecond: (cluster.retries - (old?.retries ?? 0)) / period.seconds,
      attempts: total(zones, (it) => it.sent),
      localAttempts: total(zones, (it) => (it.local ? it.sent : 0)),
    };
  });
}

function callState(call: Call, plan: MeshPlan, all: readonly Link[]): CallState {
  const links = all.filter((it) => it.caller === call.caller && it.cluster.name === call.callee);
  const attempts = total(links, (it) => it.attempts);
  const busy = links.filter((it) => it.requestsPerSecond > 0 && it.cluster.p50Ms !== null);
  const rate = total(busy, (it) => it.requestsPerSecond);
  const weighted = total(busy, (it) => (it.cluster.p50Ms ?? 0) * it.requestsPerSecond);
  const slowest = links.flatMap((it) => (it.cluster.p99Ms === null ? [] : [it.cluster.p99Ms]));
  const ejected = links.flatMap((it) =>
    it.cluster.endpoints
      .filter((endpoint) => endpoint.state === 'ejected')
      .map((endpoint) => instanceAt(plan, endpoint.port) ?? endpoint.id),
  );
  return {
    ...call,
    requestsPerSecond: total(links, (it) => it.requestsPerSecond),
    failuresPerSecond: total(links, (it) => it.failuresPerSecond),
    retriesPerSecond: total(links, (it) => it.retriesPerSecond),
    p50Ms: rate > 0 ? weighted / rate : null,
    p99Ms: slowest.length > 0 ? Math.max(...slowest) : null,
    sameZone: attempts > 0 ? total(links, (it) => it.localAttempts) / attempts : null,
    ejected: [...new Set(ejected)].sort(),
    panic: links.some((it) => it.cluster.panic),
  };
}

function instanceState(
  it: PlannedInstance,
  period: Period | undefined,
  outbound: readonly ClusterView[],
): InstanceState {
  // The edge has no application: what it sends is what it handles.
  const direction = it.app === null ? 'outbound' : 'inbound';
  const cluster = period?.now.clusters.find((candidate) => candidate.direction === direction);
  const old = cluster === undefined ? undefined : sameCluster(period?.before ?? null, cluster);
  const known = outbound
    .flatMap((candidate) => candidate.endpoints)
    .filter((endpoint) => it.app !== null && endpoint.port === it.app.inboundPort);
  return {
    id: it.id,
    zone: it.zone,
    adminPort: it.adminPort,
    answering: period !== undefined,
    requestsPerSecond: ((cluster?.requests ?? 0) - (old?.requests ?? 0)) / (period?.seconds ?? 1),
    p50Ms: cluster?.p50Ms ?? null,
    p99Ms: cluster?.p99Ms ?? null,
    ejectedBy: known.filter((endpoint) => endpoint.state === 'ejected').length,
    knownBy: known.length,
    criticalFor: known.filter(({ state }) => state === 'critical' || state === 'maintenance')
      .length,
  };
}

function sameCluster(view: ClustersView | null, cluster: ClusterView): ClusterView | undefined {
  return view?.clusters.find(
    (it) => it.name === cluster.name && it.direction === cluster.direction,
  );
}

/** The instance whose sidecar takes calls at a port. */
export function instanceAt(plan: MeshPlan, inboundPort: number): string | null {
  return plan.instances.find((it) => it.app?.inboundPort === inboundPort)?.id ?? null;
}

function total<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0);
}
