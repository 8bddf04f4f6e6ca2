import type { ResolverStatus } from '../../discovery/resolver.ts';
import type { SpanView } from '../../telemetry/span-view.ts';
import type { ClusterSummary } from '../cluster/summary.ts';

/** Shapes of the admin API's JSON. Field names are stable: fields are added, never renamed. */

export type SidecarState = 'starting' | 'ready' | 'draining';

/** `GET /clusters`. */
export interface ClustersView {
  readonly service: string;
  readonly zone: string;
  readonly state: SidecarState;
  readonly generation: number;
  readonly uptimeMs: number;
  readonly listeners: readonly ListenerView[];
  readonly clusters: readonly ClusterView[];
}

export interface ListenerView {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly connections: number;
  readonly accepted: number;
  readonly refused: number;
  /** `shared`, or `events` where this Node does not allow the cheaper way to read accepted connections. */
  readonly readMode: 'shared' | 'events';
}

/** One cluster of `GET /clusters`. */
export interface ClusterView extends ClusterSummary {
  readonly direction: 'inbound' | 'outbound';
  /** Null for the local application. */
  readonly resolver: ResolverStatus | null;
}

/** `GET /readyz`, status 200 when ready and 503 else; `GET /healthz` has the same body and is always 200. */
export interface ReadyView {
  readonly state: SidecarState;
  readonly ready: boolean;
  /** What is still missing, each in one sentence. */
  readonly waitingFor: readonly string[];
}

/** `GET /traces`: newest first. */
export interface TracesView {
  readonly spans: readonly SpanView[];
}

/** `GET /config`: what is in force and where each part came from; secrets are replaced by `***`. */
export interface ConfigView {
  readonly generation: number;
  readonly file: string | null;
  readonly loadedAt: string;
  /** Error lines of the last rejected reload, empty when none was rejected. */
  readonly rejected: readonly string[];
  readonly config: unknown;
  /** Dotted path → `file:line`, `env:NAME` or `default`. */
  readonly sources: Readonly<Record<string, string>>;
}
