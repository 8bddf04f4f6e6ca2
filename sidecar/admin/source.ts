import type { ClustersView, ConfigView, ReadyView, TracesView } from './views.ts';

/** What the admin API shows and can do; the running sidecar is one. Views are made when asked for. */
export interface AdminSource {
  ready(): ReadyView;
  clusters(): ClustersView;
  config(): ConfigView;
  /** Newest first, at most `limit` spans; of one trace when `traceId` is not null. */
  traces(limit: number, traceId: string | null): TracesView;
  /** Prometheus text format. */
  metricsText(): Promise<string>;
  /** Begins to drain; calling it again changes nothing. */
  drain(): void;
  /** Stops in order and ends the process. */
  quit(): void;
}
