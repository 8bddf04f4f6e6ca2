import type { EndpointSpec } from '../../discovery/resolver.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { Endpoint } from './endpoint.ts';
import { sameSpec } from './same-spec.ts';

/** What a new list changed. */
export interface MembersChange {
  readonly added: readonly Endpoint[];
  readonly removed: readonly Endpoint[];
  /** Members whose checks failed before and pass now. */
  readonly recovered: readonly Endpoint[];
}

/**
 * The endpoints of a cluster, matched with each new list by id and address. What disappears closes once
 * nothing is under way there, and is taken back with its connections if it reappears before that.
 */
export class Members {
  readonly #makeUpstream: (spec: EndpointSpec) => Upstream;
  #byIdentity = new Map<string, Endpoint>();
  readonly #leaving = new Map<string, Endpoint>();
  #list: readonly Endpoint[] = [];

  constructor(makeUpstream: (spec: EndpointSpec) => Upstream) {
    this.#makeUpstream = makeUpstream;
  }

  /** In the order of the registry. */
  get list(): readonly Endpoint[] {
    return this.#list;
  }

  /** Takes a complete list; null when it says what is known already. Of two alike the first counts. */
  replace(specs: readonly EndpointSpec[]): MembersChange | null {
    const wanted = new Map<string, EndpointSpec>();
    for (const spec of specs) {
      const identity = identityOf(spec);
      if (!wanted.has(identity)) wanted.set(identity, spec);
    }
    if (this.#says(wanted)) return null;
    const previous = this.#byIdentity;
    const next = new Map<string, Endpoint>();
    const added: Endpoint[] = [];
    const recovered: Endpoint[] = [];
    for (const [identity, spec] of wanted) {
      const known = previous.get(identity);
      const endpoint = known ?? this.#arrive(identity, spec);
      if (known === undefined) added.push(endpoint);
      else if (known.spec.health !== 'passing' && spec.health === 'passing') recovered.push(known);
      endpoint.spec = spec;
      next.set(identity, endpoint);
    }
    const removed: Endpoint[] = [];
    for (const [identity, endpoint] of previous) {
      if (next.has(identity)) continue;
      endpoint.member = false;
      removed.push(endpoint);
      this.#leaving.set(identity, endpoint);
    }
    this.#byIdentity = next;
    this.#list = [...next.values()];
    return { added, removed, recovered };
  }

  /** Gives every member a new upstream; the old one closes behind its requests. */
  renewUpstreams(): void {
    for (const endpoint of this.#list) {
      const before = endpoint.upstream;
      endpoint.upstream = this.#makeUpstream(endpoint.spec);
      before.close();
    }
  }

  /** Closes what has left and has nothing under way; called after an attempt ended or a list came. */
  closeIdle(): void {
    if (this.#leaving.size === 0) return;
    for (const [identity, endpoint] of this.#leaving) {
      if (endpoint.inflight > 0) continue;
      this.#leaving.delete(identity);
      endpoint.upstream.close();
    }
  }

  #arrive(identity: string, spec: EndpointSpec): Endpoint {
    const leaving = this.#leaving.get(identity);
    if (leaving === undefined) return new Endpoint(spec, this.#makeUpstream(spec));
    this.#leaving.delete(identity);
    leaving.member = true;
    return leaving;
  }

  #says(wanted: ReadonlyMap<string, EndpointSpec>): boolean {
    if (wanted.size !== this.#byIdentity.size) return false;
    for (const [identity, spec] of wanted) {
      const known = this.#byIdentity.get(identity);
      if (known === undefined || !sameSpec(known.spec, spec)) return false;
    }
    return true;
  }
}

function identityOf(spec: EndpointSpec): string {
  return `${spec.address} ${spec.port} ${spec.id}`;
}
