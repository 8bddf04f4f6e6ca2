import type { Clock } from '../telemetry/clock.ts';
import { LOCAL_APPLICATION } from './config/reserved.ts';
import type { Route } from './route/route.ts';

/** Services called without being declared; beyond this the longest unused one makes room. */
const MOST = 64;

/** What the registry may be asked for: Consul's service names, DNS labels in practice. */
const SERVICE_NAME = /^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$/;
const OWN_SUFFIX = '.outrigger';

interface Entry {
  readonly route: Route;
  usedMs: number;
}

/**
 * Routes to services that the configuration does not name: made when a host is first seen, as `orders`
 * or `orders.outrigger`, and ended when it has not been asked for in a while.
 */
export class UndeclaredRoutes {
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #make: (service: string) => Route;
  readonly #end: (service: string) => void;
  readonly #entries = new Map<string, Entry>();

  constructor(
    clock: Clock,
    idleMs: number,
    make: (service: string) => Route,
    end: (service: string) => void,
  ) {
    this.#clock = clock;
    this.#idleMs = idleMs;
    this.#make = make;
    this.#end = end;
  }

  /** `host` in lower case, without port. Null when it cannot be a service of the mesh. */
  match(host: string): Route | null {
    const service = host.endsWith(OWN_SUFFIX) ? host.slice(0, -OWN_SUFFIX.length) : host;
    const known = this.#entries.get(service);
    const now = this.#clock.now();
    if (known !== undefined) {
      known.usedMs = now;
      return known.route;
    }
    if (!SERVICE_NAME.test(service) || service === LOCAL_APPLICATION) return null;
    this.#makeRoom(now);
    const route = this.#make(service);
    this.#entries.set(service, { route, usedMs: now });
    return route;
  }

  /** Service names that are followed now. */
  get services(): readonly string[] {
    return [...this.#entries.keys()];
  }

  #makeRoom(now: number): void {
    let oldest: string | null = null;
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const [service, entry] of this.#entries) {
      if (now - entry.usedMs > this.#idleMs) this.#drop(service);
      else if (entry.usedMs < oldestMs) {
        oldest = service;
        oldestMs = entry.usedMs;
      }
    }
    if (this.#entries.size >= MOST && oldest !== null) this.#drop(oldest);
  }

  #drop(service: string): void {
    this.#entries.delete(service);
    this.#end(service);
  }
}
