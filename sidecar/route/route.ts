import type { RequestCells } from '../../telemetry/request-cells.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { RetryPolicy } from '../retry/policy.ts';
import type { SilenceLimit } from './silence.ts';

/** Where matching requests go and under which rules; immutable, everything looked up when it was built. */
export interface Route {
  /** Shown in logs and at the admin API. */
  readonly name: string;
  readonly direction: 'inbound' | 'outbound';
  /** What people call it: the upstream's name, or our own service for inbound requests. */
  readonly service: string;
  readonly cluster: Cluster;
  /** Total time of a request in milliseconds, retries included; 0 for none. For upgrades and event streams until the response head. */
  readonly timeoutMs: number;
  /** Time of one attempt until its response head, milliseconds; 0 for none. */
  readonly perTryTimeoutMs: number;
  /** Longest silence in both directions. */
  readonly silence: SilenceLimit;
  /** How long a request waits for the first answer of the registry, milliseconds. */
  readonly holdStartMs: number;
  /** Bytes of request body let through; infinite for no limit. */
  readonly maxBodyBytes: number;
  /** Bytes of request body kept for another attempt; 0: requests with a body are sent once. */
  readonly replayBytes: number;
  readonly retries: RetryPolicy;
  /** Template for `http.route`, or null. */
  readonly template: string | null;
  /** Never starts a trace of its own (health probes). */
  readonly untraced: boolean;
  readonly cells: RequestCells;
}
