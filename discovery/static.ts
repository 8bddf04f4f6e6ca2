import type { Clock } from '../telemetry/clock.ts';
import type { Log } from '../telemetry/log.ts';
import { reuseUnchanged } from './endpoint-list.ts';
import type { EndpointSpec, Resolution, Resolver, ResolverStatus } from './resolver.ts';
import { Subscribers } from './subscribers.ts';

export interface StaticOptions {
  /** Endpoints of each service, as they are written in the configuration. */
  readonly services: ReadonlyMap<string, readonly EndpointSpec[]>;
}

/** Services from the configuration: known at once, always confirmed, changed only by `replace`. */
export class StaticResolver implements Resolver {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #watched = new Map<string, Subscribers>();
  #services: ReadonlyMap<string, readonly EndpointSpec[]>;

  constructor(options: StaticOptions, clock: Clock, log: Log) {
    this.#services = options.services;
    this.#clock = clock;
    this.#log = log;
  }

  watch(service: string, onChange: (resolution: Resolution) => void): () => void {
    let subscribers = this.#watched.get(service);
    if (subscribers === undefined) {
      subscribers = new Subscribers(service, this.#clock, this.#log);
      this.#watched.set(service, subscribers);
      this.#tell(service, subscribers);
    }
    const followed = subscribers;
    const leave = followed.add(onChange);
    return () => {
      leave();
      if (followed.size > 0 || this.#watched.get(service) !== followed) return;
      followed.stop();
      this.#watched.delete(service);
    };
  }

  /** Puts another configuration in force; services that are no longer in it keep their last list. */
  replace(services: ReadonlyMap<string, readonly EndpointSpec[]>): void {
    this.#services = services;
    for (const [service, subscribers] of this.#watched) this.#tell(service, subscribers);
  }

  status(service: string): ResolverStatus | null {
    if (!this.#watched.has(service)) return null;
    const known = this.#services.has(service);
    return {
      service,
      source: 'static',
      ageMs: known ? 0 : null,
      fromSnapshot: false,
      quarantine: null,
      lastError: known ? null : unknownService(service),
    };
  }

  close(): Promise<void> {
    for (const subscribers of this.#watched.values()) subscribers.stop();
    this.#watched.clear();
    return Promise.resolve();
  }

  #tell(service: string, subscribers: Subscribers): void {
    const endpoints = this.#services.get(service);
    if (endpoints === undefined) subscribers.fail(new Error(unknownService(service)));
    else subscribers.publish(reuseUnchanged(subscribers.list ?? [], endpoints));
  }
}

function unknownService(service: string): string {
  return `no static service is named ${JSON.stringify(service)}`;
}
