import type { Clock } from '../../telemetry/clock.ts';

/** Which zone requests go to; `prefer` acts as `proportional` while endpoints do not report their load. */
export type ZoneRule = 'prefer' | 'proportional' | 'ignore' | 'strict';

/** Something per zone, each above 0: callers, usable endpoints. */
export type ZoneCounts = ReadonlyMap<string, number>;

/** Envoy's unit: hundredths of a per cent. */
const ALL = 10_000;

/**
 * How requests divide over zones: `local` of 10,000 stay, the others are drawn by the shares of
 * `remote`. Immutable; a draw per request.
 */
export class ZoneSplit {
  readonly local: number;
  readonly remote: readonly string[];
  /** Running sums of the shares, in the order of `remote`. */
  readonly #sums: Int32Array;
  readonly #total: number;

  constructor(local: number, shares: readonly (readonly [zone: string, share: number])[]) {
    let sum = 0;
    this.local = local;
    this.remote = shares.map(([zone]) => zone);
    this.#sums = Int32Array.from(shares, ([, share]) => (sum += share));
    this.#total = sum;
  }

  /** -1: the local zone; else a position in `remote`. */
  draw(clock: Clock): number {
    if (this.local >= ALL || Math.floor(clock.random() * ALL) < this.local) return -1;
    const drawn = Math.floor(clock.random() * this.#total);
    let at = 0;
    while (drawn >= (this.#sums[at] as number)) at++;
    return at;
  }
}

/**
 * Envoy's zone-aware routing in its integer arithmetic (`balancing.md` §3.2): each zone gets the share
 * of all requests that its share of the endpoints is, and as many as possible stay at home. Assumes
 * that callers send alike and endpoints serve alike. Null where the rule does not apply: fewer than
 * two zones on either side, no caller known in the own zone, too few endpoints.
 */
export function proportionalSplit(
  own: string,
  callers: ZoneCounts,
  endpoints: ZoneCounts,
  minClusterSize: number,
): ZoneSplit | null {
  const endpointCount = sum(endpoints);
  if (callers.size < 2 || endpoints.size < 2 || endpointCount < minClusterSize) return null;
  if (!callers.has(own)) return null;
  const callerCount = sum(callers);
  const share = (counts: ZoneCounts, of: number, zone: string): number =>
    Math.floor((ALL * (counts.get(zone) ?? 0)) / of);
  const wanted = share(callers, callerCount, own);
  const offered = share(endpoints, endpointCount, own);
  if (offered > 0 && offered >= wanted) return new ZoneSplit(ALL, []);
  const residual: [string, number][] = [];
  for (const zone of endpoints.keys()) {
    if (zone === own) continue;
    const spare = share(endpoints, endpointCount, zone) - share(callers, callerCount, zone);
    if (spare > 0) residual.push([zone, spare]);
  }
  const shares = residual.length > 0 ? residual : [...endpoints.keys()].map(evenly);
  return new ZoneSplit(wanted > 0 ? Math.floor((ALL * offered) / wanted) : 0, shares);
}

function evenly(zone: string): [string, number] {
  return [zone, 1];
}

function sum(counts: ZoneCounts): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}
