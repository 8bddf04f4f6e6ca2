import type { EndpointSpec } from '../../discovery/resolver.ts';
import type { PickInput } from '../../sidecar/balancer/picker.ts';
import { Endpoint } from '../../sidecar/cluster/endpoint.ts';
import type { ClusterOptions } from '../../sidecar/cluster/options.ts';
import type { Upstream, UpstreamStats } from '../../sidecar/upstream/upstream.ts';

/** An upstream that is never opened and remembers whether it was closed. */
export class IdleUpstream implements Upstream {
  closed = false;
  readonly stats: UpstreamStats = {
    active: 0,
    idle: 0,
    connecting: 0,
    opened: 0,
    waiting: 0,
    learnedIdleMs: null,
  };

  open(): never {
    throw new Error('nothing is sent in this test');
  }

  close(): void {
    this.closed = true;
  }
}

/** The `index`-th endpoint of a service, with any field replaced. */
export function specOf(index: number, fields: Partial<EndpointSpec> = {}): EndpointSpec {
  return {
    id: `e${index}`,
    address: `10.0.${index >> 8}.${index & 255}`,
    port: 8080,
    weight: 1,
    zone: 'a',
    region: '',
    health: 'passing',
    tags: [],
    meta: new Map(),
    ...fields,
  };
}

export function specsOf(count: number, fields: Partial<EndpointSpec> = {}): EndpointSpec[] {
  return Array.from({ length: count }, (_, index) => specOf(index, fields));
}

/** One endpoint per weight. */
export function endpointsOf(weights: readonly number[]): Endpoint[] {
  return weights.map(
    (weight, index) => new Endpoint(specOf(index, { weight }), new IdleUpstream()),
  );
}

/** A request on its way, that has tried these endpoints. */
export function requestWith(...tried: readonly Endpoint[]): PickInput {
  return { attempt: tried.length + 1, tried: (endpoint) => tried.includes(endpoint) };
}

type Parts = {
  [K in keyof ClusterOptions]?: ClusterOptions[K] extends object
    ? Partial<ClusterOptions[K]>
    : ClusterOptions[K];
};

/** Cluster options as the configuration has them by default, with any part replaced. */
export function clusterOptions(parts: Parts = {}): ClusterOptions {
  return {
    name: parts.name ?? 'orders',
    zone: parts.zone ?? '',
    balancing: {
      policy: 'least_request',
      choiceCount: 2,
      activeRequestBias: 1,
      zone: 'prefer',
      minClusterSize: 6,
      panicThreshold: 0.5,
      slowStart: { windowMs: 0, aggression: 1 },
      ...parts.balancing,
    },
    outliers: parts.outliers === null ? null : { ...outlierOptions, ...parts.outliers },
    limits: { maxRequests: 1024, ...parts.limits },
    retries: {
      perSuccess: 0.1,
      perSecond: 0.2,
      maxTokens: 10,
      initialTokens: 10,
      ...parts.retries,
    },
  };
}

export const outlierOptions = {
  consecutive5xx: 5,
  consecutiveGateway: 5,
  consecutiveLocalOrigin: 3,
  baseEjectionMs: 5000,
  maxEjectionMs: 60_000,
  maxEjectedShare: 0.3,
  intervalMs: 1000,
};
