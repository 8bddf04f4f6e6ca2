import type { EndpointSpec, Resolver, ResolverStatus } from '../discovery/resolver.ts';
import type { Clock } from '../telemetry/clock.ts';
import type { Log } from '../telemetry/log.ts';
import { Cluster } from './cluster/cluster.ts';
import type { ClusterOptions } from './cluster/options.ts';
import type { Upstream } from './upstream/upstream.ts';

/** What is needed to make and follow one cluster. */
export interface ClusterPlan {
  readonly options: ClusterOptions;
  /** Where its endpoints come from, and under which name they are listed there. */
  readonly resolver: Resolver;
  readonly listedAs: string;
  readonly makeUpstream: (spec: EndpointSpec) => Upstream;
  /** Equal for plans whose upstreams are alike. */
  readonly upstreamSettings: string;
}

interface Followed {
  readonly cluster: Cluster;
  readonly resolver: Resolver;
  readonly listedAs: string;
  readonly stop: () => void;
  makeUpstream: (spec: EndpointSpec) => Upstream;
  upstreamSettings: string;
}

/**
 * All clusters by name, each following its service. They outlive snapshots: connections, counts,
 * ejections and budgets stay while the configuration around them is replaced.
 */
export class Clusters {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #all = new Map<string, Followed>();
  #callers: ReadonlyMap<string, number> = new Map();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  get(name: string): Cluster | null {
    return this.#all.get(name)?.cluster ?? null;
  }

  *[Symbol.iterator](): IterableIterator<Cluster> {
    for (const { cluster } of this.#all.values()) yield cluster;
  }

  /** The cluster of that name with these options; one that follows another source is made anew. */
  ensure(plan: ClusterPlan): Cluster {
    const { name } = plan.options;
    const known = this.#all.get(name);
    if (known !== undefined) {
      if (known.resolver === plan.resolver && known.listedAs === plan.listedAs) {
        known.makeUpstream = plan.makeUpstream;
        known.cluster.reconfigure(plan.options);
        if (known.upstreamSettings !== plan.upstreamSettings) known.cluster.renewUpstreams();
        known.upstreamSettings = plan.upstreamSettings;
        return known.cluster;
      }
      this.retire(name);
    }
    return this.#follow(plan);
  }

  /** Ends a cluster: no new requests, connections close after what runs has ended. */
  retire(name: string): void {
    const known = this.#all.get(name);
    if (known === undefined) return;
    this.#all.delete(name);
    known.stop();
    known.cluster.close();
  }

  /** How many callers of our own service each zone has, for proportional shares. */
  setCallers(zones: ReadonlyMap<string, number>): void {
    this.#callers = zones;
    for (const cluster of this) cluster.setCallers(zones);
  }

  status(name: string): ResolverStatus | null {
    const known = this.#all.get(name);
    return known === undefined ? null : known.resolver.status(known.listedAs);
  }

  close(): void {
    for (const name of this.#all.keys()) this.retire(name);
  }

  #follow(plan: ClusterPlan): Cluster {
    const { options, resolver, listedAs } = plan;
    const cluster = new Cluster(options, this.#clock, (spec) => followed.makeUpstream(spec));
    cluster.setCallers(this.#callers);
    const followed: Followed = {
      cluster,
      resolver,
      listedAs,
      makeUpstream: plan.makeUpstream,
      upstreamSettings: plan.upstreamSettings,
      stop: resolver.watch(listedAs, (resolution) => {
        if (resolution.ok) cluster.setMembers(resolution.endpoints);
        else {
          this.#log.warn(
            { service: options.name, err: resolution.error.message },
            'no news of the endpoints; the last known ones stay in use',
          );
        }
      }),
    };
    this.#all.set(options.name, followed);
    return cluster;
  }
}
