import type { Endpoint } from '../cluster/endpoint.ts';

/**
 * Weight of an endpoint inside a picker, at least 1: the cluster leaves weight 0 out of the set, so
 * where it does appear the cluster is in panic and wants it used.
 */
export function weightOf(endpoint: Endpoint): number {
  return Math.max(1, endpoint.spec.weight);
}

export function equalWeights(endpoints: readonly Endpoint[]): boolean {
  const first = endpoints[0];
  return (
    first === undefined || endpoints.every((endpoint) => weightOf(endpoint) === weightOf(first))
  );
}
