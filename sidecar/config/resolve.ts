import { applyOverride } from './override.ts';
import type { Config, ConfigInput, Route, StaticEndpoint, Upstream } from './schema.ts';
import type { RouteInput } from './schema-route.ts';
import { type UpstreamInput, upstreamSchema } from './schema-upstream.ts';

/** Gives every upstream what it inherits, every route its name. Pure. */
export function resolveConfig(input: ConfigInput): Config {
  return {
    ...input,
    inbound: { ...input.inbound, limits: applyOverride(input.limits, input.inbound.limits) },
    upstreams: input.upstreams.map((upstream) => resolveUpstream(upstream, input)),
    routes: input.routes.map(resolveRoute),
  };
}

/** What an upstream that is not declared would be: a service of the registry with every default. */
export function undeclaredUpstream(service: string, config: Config): Upstream {
  return resolveUpstream(upstreamSchema.parse({ service }), config);
}

type Inherited = Pick<ConfigInput, 'balancing' | 'outliers' | 'retries' | 'limits'>;

function resolveUpstream(upstream: UpstreamInput, inherited: Inherited): Upstream {
  return {
    ...upstream,
    name: upstream.name ?? upstream.service,
    endpoints: upstream.endpoints.map(parseEndpoint),
    balancing: applyOverride(inherited.balancing, upstream.balancing),
    outliers: applyOverride(inherited.outliers, upstream.outliers),
    retries: applyOverride(inherited.retries, upstream.retries),
    limits: applyOverride(inherited.limits, upstream.limits),
  };
}

function resolveRoute(route: RouteInput, index: number): Route {
  return {
    ...route,
    name: route.name ?? `${route.service}#${index + 1}`,
    host: route.host?.toLowerCase() ?? null,
    headers: route.headers.map((condition) => ({
      ...condition,
      name: condition.name.toLowerCase(),
    })),
  };
}

function parseEndpoint(endpoint: UpstreamInput['endpoints'][number]): StaticEndpoint {
  if (typeof endpoint !== 'string') return endpoint;
  const colon = endpoint.lastIndexOf(':');
  const host = endpoint.slice(0, colon);
  return {
    address: host.startsWith('[') ? host.slice(1, -1) : host,
    port: Number(endpoint.slice(colon + 1)),
    weight: 1,
    zone: '',
    region: '',
  };
}
