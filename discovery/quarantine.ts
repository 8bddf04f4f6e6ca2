import type { EndpointSpec } from './resolver.ts';

export interface QuarantineOptions {
  /** How long the same smaller set must have stood before it is believed. */
  readonly settleMs: number;
  /** How long removals are held at most while the registry keeps answering. */
  readonly maxMs: number;
}

/** One good reply of the registry. */
export interface Observation {
  readonly endpoints: readonly EndpointSpec[];
  /** The registry's version of this answer. */
  readonly index: bigint;
  /** False when an empty list must not be believed yet: no leader, or a token that cannot read services. */
  readonly emptyIsTrusted: boolean;
  readonly nowMs: number;
}

interface Hold {
  readonly sinceMs: number;
  /** Since when the same set of ids has been answered. */
  standingMs: number;
  ids: string;
  reason: string;
  held: number;
}

/** Removals of one reply that are believed at once: this many, or the share of the known ones. */
const FREE_REMOVALS = 3;
const FREE_SHARE = 0.3;

/**
 * Decides which removals to believe. A registry that has just restarted answers with success and
 * short or empty lists while it replays its log; the sign of that is an index lower than the last
 * good one, or a sudden large drop. Then additions apply and removals are held until the index has
 * caught up, or the same smaller set has stood for `settleMs`, or `maxMs` have passed. It changes its
 * mind on replies only, never on silence: an outage drops nobody.
 */
export class Quarantine {
  readonly #settleMs: number;
  readonly #maxMs: number;
  #good: ReadonlyMap<string, EndpointSpec> | null = null;
  #goodIndex = 0n;
  #standIn = false;
  #hold: Hold | null = null;

  constructor(options: QuarantineOptions) {
    this.#settleMs = options.settleMs;
    this.#maxMs = options.maxMs;
  }

  /** Index of the last answer believed in full; 0 before the first. */
  get goodIndex(): bigint {
    return this.#goodIndex;
  }

  /** Why removals are held, in one sentence, or null. */
  get reason(): string | null {
    const hold = this.#hold;
    return hold === null ? null : `${hold.held} removals held: ${hold.reason}`;
  }

  /** Starts from a list that an earlier process believed. A live list at its index or above replaces it at once. */
  restore(endpoints: readonly EndpointSpec[], index: bigint): void {
    this.#good = byId(endpoints);
    this.#goodIndex = index;
    this.#standIn = true;
  }

  /** The list to use from now on. */
  observe(seen: Observation): Iterable<EndpointSpec> {
    const good = this.#good;
    const listed = byId(seen.endpoints);
    const doubt = good === null ? null : this.#doubt(good, listed, seen);
    if (good === null || doubt === null || this.#released(listed, seen)) {
      return this.#believe(listed, seen.index);
    }
    const merged = this.#merge(good, listed, seen.index >= this.#goodIndex);
    this.#remember(listed, seen.nowMs, doubt, merged.size - listed.size);
    // Additions are part of what must not vanish unnoticed later; the index stays the last good one.
    this.#good = merged;
    return merged.values();
  }

  /** When to ask the registry again so that the hold can end, or null when its own next reply will do. */
  recheckInMs(nowMs: number): number | null {
    const hold = this.#hold;
    if (hold === null || hold.sinceMs === Number.POSITIVE_INFINITY) return null;
    const dueMs = Math.min(hold.standingMs + this.#settleMs, hold.sinceMs + this.#maxMs);
    return dueMs > nowMs ? dueMs - nowMs : this.#settleMs;
  }

  /** The registry stopped answering: what it said before that proves nothing, so the waits start anew. */
  interrupted(): void {
    const hold = this.#hold;
    if (hold === null) return;
    this.#hold = {
      ...hold,
      sinceMs: Number.POSITIVE_INFINITY,
      standingMs: Number.POSITIVE_INFINITY,
    };
  }

  #doubt(
    good: ReadonlyMap<string, EndpointSpec>,
    listed: ReadonlyMap<string, EndpointSpec>,
    seen: Observation,
  ): string | null {
    if (seen.index < this.#goodIndex) {
      return `the index went back from ${this.#goodIndex} to ${seen.index}`;
    }
    if (listed.size === 0 && good.size > 0 && !seen.emptyIsTrusted) {
      return 'the list is empty and the registry or the token cannot be trusted with that';
    }
    // Whoever was taken out of service first may go: that is how an orderly departure looks.
    let dropped = 0;
    let usable = 0;
    for (const [id, endpoint] of good) {
      if (endpoint.health !== 'passing') continue;
      usable++;
      if (!listed.has(id)) dropped++;
    }
    if (dropped === 0) return null;
    if (listed.size === 0) return `the list became empty, ${usable} were in service`;
    if (this.#standIn) return null;
    if (dropped <= Math.max(FREE_REMOVALS, good.size * FREE_SHARE)) return null;
    return `one reply dropped ${dropped} of ${good.size}`;
  }

  #released(listed: ReadonlyMap<string, EndpointSpec>, seen: Observation): boolean {
    const hold = this.#hold;
    if (hold === null || (listed.size === 0 && !seen.emptyIsTrusted)) return false;
    if (seen.nowMs - hold.sinceMs >= this.#maxMs) return true;
    return idsOf(listed) === hold.ids && seen.nowMs - hold.standingMs >= this.#settleMs;
  }

  #believe(listed: ReadonlyMap<string, EndpointSpec>, index: bigint): Iterable<EndpointSpec> {
    this.#good = listed;
    this.#goodIndex = index;
    this.#standIn = false;
    this.#hold = null;
    return listed.values();
  }

  /** Below the last good index what is said of known endpoints is older than what we have. */
  #merge(
    good: ReadonlyMap<string, EndpointSpec>,
    listed: ReadonlyMap<string, EndpointSpec>,
    current: boolean,
  ): ReadonlyMap<string, EndpointSpec> {
    return current ? new Map([...good, ...listed]) : new Map([...listed, ...good]);
  }

  #remember(
    listed: ReadonlyMap<string, EndpointSpec>,
    nowMs: number,
    reason: string,
    held: number,
  ): void {
    const hold = this.#hold;
    const ids = idsOf(listed);
    const standing = hold !== null && hold.ids === ids && hold.standingMs <= nowMs;
    this.#hold = {
      sinceMs: hold !== null && hold.sinceMs <= nowMs ? hold.sinceMs : nowMs,
      standingMs: standing ? hold.standingMs : nowMs,
      ids,
      reason,
      held,
    };
  }
}

function byId(endpoints: readonly EndpointSpec[]): ReadonlyMap<string, EndpointSpec> {
  return new Map(endpoints.map((endpoint) => [endpoint.id, endpoint]));
}

function idsOf(listed: ReadonlyMap<string, EndpointSpec>): string {
  return [...listed.keys()].sort().join('\n');
}
