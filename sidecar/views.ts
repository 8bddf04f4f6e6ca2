import type { ClustersView, ClusterView, SidecarState } from './admin/views.ts';
import { summarize } from './cluster/summary.ts';
import type { Clusters } from './clusters.ts';
import type { Listeners } from './listeners.ts';
import { INBOUND } from './ports.ts';

/** What `GET /clusters` is made of. */
export interface ViewSource {
  readonly service: string;
  readonly zone: string;
  readonly state: SidecarState;
  readonly generation: number;
  readonly uptimeMs: number;
  /** `Clock.now()`. */
  readonly now: number;
  readonly listeners: Listeners;
  readonly clusters: Clusters;
}

/** The sidecar at this moment, as the admin API shows it. */
export function clustersView(source: ViewSource): ClustersView {
  const { service, zone, state, generation, uptimeMs, now, listeners, clusters } = source;
  const views: ClusterView[] = [];
  for (const cluster of clusters) {
    views.push({
      ...summarize(cluster, now),
      direction: cluster.name === INBOUND ? 'inbound' : 'outbound',
      resolver: cluster.name === INBOUND ? null : clusters.status(cluster.name),
    });
  }
  return {
    service,
    zone,
    state,
    generation,
    uptimeMs,
    listeners: listeners.views(),
    clusters: views,
  };
}
