import type { Clock } from '../telemetry/clock.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Cluster } from './cluster/cluster.ts';
import { summarize } from './cluster/summary.ts';
import type { Clusters } from './clusters.ts';
import type { Config } from './config/schema.ts';
import type { Listeners } from './listeners.ts';
import { INBOUND } from './ports.ts';

/** What the gauges look at. */
export interface Observed {
  readonly clusters: Iterable<Cluster> & Pick<Clusters, 'status'>;
  readonly listeners: Pick<Listeners, 'views'>;
  readonly clock: Clock;
  /** The configuration in force. */
  readonly config: () => Config;
  readonly generation: () => number;
  readonly draining: () => boolean;
}

/** Binds the gauges that are read off the running parts when somebody collects; nothing is kept up to date for them. */
export function observeSidecar(metrics: Metrics, observed: Observed): void {
  const { clusters, listeners, clock } = observed;
  const outbound = function* (): Iterable<Cluster> {
    for (const cluster of clusters) if (cluster.name !== INBOUND) yield cluster;
  };
  metrics.observe('outrigger_config_generation', (report) => report([], observed.generation()));
  metrics.observe('outrigger_drain_state', (report) => report([], observed.draining() ? 1 : 0));
  metrics.observe('outrigger_upstream_endpoints', (report) => {
    for (const cluster of outbound()) {
      const counts = new Map<string, number>();
      for (const { zone, state } of summarize(cluster, clock.now()).endpoints) {
        const key = JSON.stringify([cluster.name, zone, state]);
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      for (const [key, count] of counts) report(JSON.parse(key) as string[], count);
    }
  });
  metrics.observe('outrigger_ejected_endpoints', (report) => {
    for (const cluster of outbound()) report([cluster.name], cluster.unusable().ejected);
  });
  metrics.observe('outrigger_retry_budget_tokens', (report) => {
    for (const cluster of outbound()) report([cluster.name], cluster.budget.tokens);
  });
  metrics.observe('outrigger_queue_depth', (report) => {
    for (const cluster of outbound()) {
      let waiting = 0;
      for (const { upstream } of cluster.members) waiting += upstream.stats.waiting;
      report([cluster.name], waiting);
    }
  });
  metrics.observe('outrigger_discovery_age_seconds', (report) => {
    for (const cluster of outbound()) {
      const ageMs = clusters.status(cluster.name)?.ageMs ?? null;
      if (ageMs !== null) report([cluster.name], ageMs / 1000);
    }
  });
  metrics.observe('outrigger_ejections_total', (report) => {
    for (const cluster of outbound()) {
      for (const [detector, counts] of cluster.ejector.ledger.counts) {
        report([cluster.name, detector, 'ejected'], counts.ejected);
        report([cluster.name, detector, 'capped'], counts.capped);
      }
    }
  });
  metrics.observe('outrigger_overflow_total', (report) => {
    for (const { name, limits } of clusters) {
      const service = name === INBOUND ? observed.config().service.name : name;
      for (const [limit, count] of Object.entries(limits.overflows))
        report([service, limit], count);
    }
  });
  metrics.observe('http.client.open_connections', (report) => {
    const { upstreams } = observed.config();
    for (const cluster of outbound()) {
      // As the requests of the cluster are labelled; undeclared ones have no port of their own.
      const declared = upstreams.find(({ name }) => name === cluster.name);
      const server = [declared?.service ?? cluster.name, declared?.port ?? 80] as const;
      for (const { upstream } of cluster.members) {
        report([...server, 'active'], upstream.stats.active);
        report([...server, 'idle'], upstream.stats.idle);
      }
    }
  });
  metrics.observe('outrigger_connections', (report) => {
    let accepted = 0;
    for (const { connections } of listeners.views()) accepted += connections;
    report(['downstream', 'open'], accepted);
    let active = 0;
    let idle = 0;
    for (const cluster of clusters) {
      for (const { upstream } of cluster.members) {
        active += upstream.stats.active;
        idle += upstream.stats.idle;
      }
    }
    report(['upstream', 'active'], active);
    report(['upstream', 'idle'], idle);
  });
  metrics.observe('outrigger_connections_refused_total', (report) => {
    let refused = 0;
    for (const view of listeners.views()) refused += view.refused;
    report(['limit'], refused);
  });
}
