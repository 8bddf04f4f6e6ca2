import type { Endpoint } from '../cluster/endpoint.ts';
import type { PickInput } from './picker.ts';

/**
 * The first endpoint from `start` on, in ring order, that the request has not tried; the one at
 * `start` when all were tried. Ends after one step more than the request has tried endpoints.
 */
export function firstUntried(
  endpoints: readonly Endpoint[],
  start: number,
  input: PickInput,
): Endpoint {
  for (let step = 0; step < endpoints.length; step++) {
    const endpoint = endpoints[(start + step) % endpoints.length] as Endpoint;
    if (!input.tried(endpoint)) return endpoint;
  }
  return endpoints[start] as Endpoint;
}
