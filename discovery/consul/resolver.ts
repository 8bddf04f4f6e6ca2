import type { Clock, Timer } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { LastGood } from '../last-good.ts';
import type { Resolution, Resolver, ResolverStatus } from '../resolver.ts';
import type { OnUpdate } from '../update-result.ts';
import type { ConsulOptions } from './options.ts';
import { OutageLog } from './outage-log.ts';
import { ServiceWatch, type WatchParts } from './service-watch.ts';
import type { ConsulTransport } from './transport.ts';

export interface ConsulResolverParts {
  readonly options: ConsulOptions;
  /** Shared with the registration; closed by its owner, after the resolver. */
  readonly transport: ConsulTransport;
  readonly clock: Clock;
  readonly log: Log;
  readonly onUpdate?: OnUpdate;
  /** How much a service is used, in any unit; decides who is polled when there are too many watches. */
  readonly usage?: (service: string) => number;
}

const REBALANCE_MS = 60_000;

interface Followed {
  readonly watch: ServiceWatch;
  idle: Timer | null;
}

/**
 * Follows services in Consul, each from its first `watch` on and with one blocking query for all who
 * follow it. Above `maxWatches` the least used services are polled instead, as an agent accepts a
 * limited number of connections from everything on its host.
 */
export class ConsulResolver implements Resolver {
  readonly #parts: WatchParts;
  readonly #usage: (service: string) => number;
  readonly #followed = new Map<string, Followed>();
  readonly #stopping = new Set<Promise<void>>();
  #rebalance: Timer | null = null;
  #closed = false;

  constructor(parts: ConsulResolverParts) {
    const { options, transport, clock, log } = parts;
    const directory = options.snapshotDirectory;
    const { datacenter, namespace, partition } = transport.access;
    const source = ['consul', partition, namespace, datacenter].map((name) => name ?? '').join('/');
    this.#usage = parts.usage ?? (() => 0);
    this.#parts = {
      options,
      transport,
      clock,
      log,
      outages: new OutageLog(clock, log),
      lastGood: directory === null ? null : new LastGood(directory, source, log),
      onUpdate: parts.onUpdate ?? (() => undefined),
    };
  }

  watch(service: string, onChange: (resolution: Resolution) => void): () => void {
    if (this.#closed) return () => undefined;
    const known = this.#followed.get(service);
    const followed = known ?? { watch: new ServiceWatch(service, this.#parts), idle: null };
    followed.idle?.cancel();
    followed.idle = null;
    const leave = followed.watch.subscribers.add(onChange);
    if (known === undefined) {
      this.#followed.set(service, followed);
      this.#shareWatches();
    }
    return () => {
      leave();
      if (followed.watch.subscribers.size === 0) this.#dropLater(service, followed);
    };
  }

  status(service: string): ResolverStatus | null {
    return this.#followed.get(service)?.watch.status() ?? null;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#rebalance?.cancel();
    for (const [service, followed] of this.#followed) this.#drop(service, followed);
    await Promise.all(this.#stopping);
  }

  #dropLater(service: string, followed: Followed): void {
    if (this.#followed.get(service) !== followed || followed.idle !== null) return;
    const { clock, options } = this.#parts;
    followed.idle = clock.schedule(options.idleMs, () => {
      this.#drop(service, followed);
      this.#shareWatches();
    });
  }

  #drop(service: string, followed: Followed): void {
    followed.idle?.cancel();
    this.#followed.delete(service);
    const stopping = followed.watch.stop().finally(() => this.#stopping.delete(stopping));
    this.#stopping.add(stopping);
  }

  /** What nobody follows any more comes last. */
  #rank({ service, subscribers }: ServiceWatch): number {
    return subscribers.size === 0 ? -1 : this.#usage(service);
  }

  /** Lets the most used services block and the others poll. */
  #shareWatches(): void {
    this.#rebalance?.cancel();
    this.#rebalance = null;
    const { options, clock, log } = this.#parts;
    const watches = [...this.#followed.values()].map(({ watch }) => watch);
    const excess = watches.length - options.maxWatches;
    if (excess > 0) {
      // The sort is stable: of two that are used alike the one that was there first keeps its watch.
      watches.sort((a, b) => this.#rank(b) - this.#rank(a));
      this.#rebalance = clock.schedule(REBALANCE_MS, () => this.#shareWatches());
    }
    for (const [i, watch] of watches.entries()) {
      const polling = i >= options.maxWatches;
      if (polling && !watch.query.polling) {
        log.warn(
          { service: watch.service, maxWatches: options.maxWatches, pollMs: options.pollMs },
          'too many services for one watch each, this one is polled',
        );
      }
      watch.query.setPolling(polling);
    }
  }
}
