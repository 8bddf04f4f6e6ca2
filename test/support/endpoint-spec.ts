import type { EndpointSpec } from '../../discovery/resolver.ts';

/** An endpoint as a registry lists it; everything but the id has a default. */
export function endpointSpec(id: string, fields: Partial<EndpointSpec> = {}): EndpointSpec {
  return {
    id,
    address: '127.0.0.1',
    port: 9000,
    weight: 1,
    zone: '',
    region: '',
    health: 'passing',
    tags: [],
    meta: new Map(),
    ...fields,
  };
}
