import type { Endpoint } from './endpoint.ts';

/** Whom a picker may choose from. */
export interface UsableSet {
  readonly endpoints: readonly Endpoint[];
  /** Members in good standing; in panic fewer than `endpoints`. */
  readonly usable: number;
  readonly panic: boolean;
}

/**
 * Members that pass their checks, are not ejected and have a weight. When fewer than `panicThreshold`
 * of those that could be remain, or none at all, bad news is taken for a fault of its messenger: all
 * members are used, except those in maintenance. A threshold of 0 never panics.
 */
export function usableSet(members: readonly Endpoint[], panicThreshold: number): UsableSet {
  // Maintenance and weight 0 are somebody's intention, not ill health: they do not count as lost.
  const intended = members.filter(({ spec }) => spec.health !== 'maintenance');
  const wanted = intended.filter(({ spec }) => spec.weight > 0);
  const endpoints = wanted.filter(isUsable);
  const usable = endpoints.length;
  const tooFew = usable === 0 || usable < wanted.length * panicThreshold;
  const panic = panicThreshold > 0 && intended.length > 0 && tooFew;
  return { endpoints: panic ? intended : endpoints, usable, panic };
}

function isUsable(endpoint: Endpoint): boolean {
  return endpoint.spec.health === 'passing' && endpoint.ejectedUntil === 0;
}
