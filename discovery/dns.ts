import type { Clock } from '../telemetry/clock.ts';
import type { Log } from '../telemetry/log.ts';
import { DnsLookup, type DnsTarget } from './dns-lookup.ts';
import { DnsWatch } from './dns-watch.ts';
import type { Resolution, Resolver, ResolverStatus } from './resolver.ts';
import type { OnUpdate } from './update-result.ts';

export interface DnsOptions {
  /** Which name stands for which service. */
  readonly services: ReadonlyMap<string, DnsTarget>;
  /** `address` or `address:port` of the servers to ask, or null for the system's. */
  readonly servers: readonly string[] | null;
  /** Bounds of the time between two lookups, whatever the records say. */
  readonly minTtlMs: number;
  readonly maxTtlMs: number;
  /** Per try; a server is tried twice. */
  readonly timeoutMs: number;
}

export const defaultDnsOptions: Omit<DnsOptions, 'services'> = {
  servers: null,
  minTtlMs: 1_000,
  maxTtlMs: 30_000,
  timeoutMs: 2_000,
};

export interface DnsResolverParts {
  readonly options: DnsOptions;
  readonly clock: Clock;
  readonly log: Log;
  readonly onUpdate?: OnUpdate;
}

/** Follows services by A, AAAA or SRV records, asked again as their time to live runs out. */
export class DnsResolver implements Resolver {
  readonly #parts: DnsResolverParts;
  readonly #watches = new Map<string, DnsWatch>();

  constructor(parts: DnsResolverParts) {
    this.#parts = parts;
  }

  watch(service: string, onChange: (resolution: Resolution) => void): () => void {
    const { options, clock, log, onUpdate } = this.#parts;
    let watch = this.#watches.get(service);
    if (watch === undefined) {
      const target = options.services.get(service) ?? null;
      const lookup = new DnsLookup(options.servers, options.timeoutMs);
      const count = onUpdate ?? (() => undefined);
      watch = new DnsWatch({ service, target, lookup, options, clock, log, onUpdate: count });
      this.#watches.set(service, watch);
    }
    const followed = watch;
    const leave = followed.subscribers.add(onChange);
    return () => {
      leave();
      if (followed.subscribers.size > 0 || this.#watches.get(service) !== followed) return;
      this.#watches.delete(service);
      void followed.stop();
    };
  }

  status(service: string): ResolverStatus | null {
    return this.#watches.get(service)?.status() ?? null;
  }

  async close(): Promise<void> {
    const watches = [...this.#watches.values()];
    this.#watches.clear();
    await Promise.all(watches.map((watch) => watch.stop()));
  }
}
