import type { QuarantineOptions } from '../quarantine.ts';
import type { CatalogOptions } from './catalog.ts';

/** How services are followed in Consul. */
export interface ConsulOptions extends CatalogOptions {
  /** Blocking queries at most; the least used services beyond them are polled. One socket each. */
  readonly maxWatches: number;
  readonly pollMs: number;
  /** How long a service that nobody follows any more stays watched, so that coming back is free. */
  readonly idleMs: number;
  /** How long Consul may hold a blocking query, at most 10 minutes. */
  readonly waitMs: number;
  /** Let all watches of one agent share one query to the servers. */
  readonly cached: boolean;
  /** Changes within this time of each other are told as one. */
  readonly debounceMs: number;
  readonly quarantine: QuarantineOptions;
  /** Folder of the last known endpoints, or null to keep none across restarts. */
  readonly snapshotDirectory: string | null;
  /** How long a start waits for Consul before it uses saved endpoints. */
  readonly snapshotAfterMs: number;
}

export const defaultConsulOptions: ConsulOptions = {
  zoneKey: 'zone',
  regionKey: 'region',
  addressTag: null,
  maxWatches: 40,
  pollMs: 10_000,
  idleMs: 600_000,
  waitMs: 55_000,
  cached: true,
  debounceMs: 75,
  quarantine: { settleMs: 15_000, maxMs: 60_000 },
  snapshotDirectory: null,
  snapshotAfterMs: 1_000,
};
