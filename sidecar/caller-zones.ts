import type { EndpointSpec, Resolver } from '../discovery/resolver.ts';
import type { Clusters } from './clusters.ts';
import type { Config } from './config/schema.ts';

/**
 * How many instances of our own service each zone has: what proportional shares are counted against. Our
 * own service is followed only when this instance knows its zone and some upstream asks for it.
 */
export class CallerZones {
  readonly #resolver: Resolver | null;
  readonly #clusters: Clusters;
  #followed: { readonly service: string; readonly stop: () => void } | null = null;

  constructor(resolver: Resolver | null, clusters: Clusters) {
    this.#resolver = resolver;
    this.#clusters = clusters;
  }

  follow(config: Config): void {
    const { name, zone } = config.service;
    const useful =
      zone !== '' &&
      config.upstreams.some(
        ({ balancing }) => balancing.zone === 'prefer' || balancing.zone === 'proportional',
      );
    if (useful && this.#followed?.service === name) return;
    this.stop();
    if (!useful || this.#resolver === null) return;
    const stop = this.#resolver.watch(name, (resolution) => {
      if (resolution.ok) this.#clusters.setCallers(countCallers(resolution.endpoints));
    });
    this.#followed = { service: name, stop };
  }

  stop(): void {
    this.#followed?.stop();
    this.#followed = null;
  }
}

function countCallers(endpoints: readonly EndpointSpec[]): ReadonlyMap<string, number> {
  const zones = new Map<string, number>();
  for (const { zone, health } of endpoints) {
    if (health === 'passing') zones.set(zone, (zones.get(zone) ?? 0) + 1);
  }
  return zones;
}
