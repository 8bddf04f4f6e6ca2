import type { ResolverStatus } from '../../discovery/resolver.ts';
import type { UpstreamStats } from '../upstream/upstream.ts';

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
}

export interface ClusterView {
  readonly name: string;
  readonly direction: 'inbound' | 'outbound';
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
  /** Over the last ten seconds or so, milliseconds, null without traffic. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly zones: readonly ZoneView[];
  readonly endpoints: readonly EndpointView[];
  /** Null for the local application. */
  readonly resolver: ResolverStatus | null;
}

export interface ZoneView {
  readonly zone: string;
  readonly local: boolean;
  readonly members: number;
  readonly usable: number;
  /** Attempts sent there since the start. */
  readonly attempts: number;
}

export interface EndpointView {
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
  /** Left of the present ejection; 0 when not ejected. */
  readonly ejectedForMs: number;
  readonly connections: UpstreamStats;
}

/** `GET /readyz` and `/healthz`; status 200 when ready, else 503. */
export interface ReadyView {
  readonly state: SidecarState;
  readonly ready: boolean;
  /** What is still missing, each in one sentence. */
  readonly waitingFor: readonly string[];
}

/** One kept span of `GET /traces`. */
export interface SpanView {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly kind: 'SERVER' | 'CLIENT' | 'INTERNAL';
  readonly service: string;
  /** Epoch milliseconds with a fraction. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly error: boolean;
  readonly attributes: Readonly<Record<string, string | number | boolean | readonly string[]>>;
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
