import type { EndpointSpec } from '../discovery/resolver.ts';
import type { Clock } from '../telemetry/clock.ts';
import type { Config, Inbound, Upstream as UpstreamConfig } from './config/schema.ts';
import { httpLimits } from './http-limits.ts';
import { INBOUND, portsOf } from './ports.ts';
import { Http1Pool } from './upstream/http1-pool.ts';
import { isLocalAddress, LoopUpstream } from './upstream/loop.ts';
import type { Upstream } from './upstream/upstream.ts';

export interface PoolParts {
  readonly clock: Clock;
  readonly onBug: (error: unknown) => void;
}

/** Makes the connections to endpoints of a service; none to an outbound port of our own, which leads back here. */
export function outboundPools(
  upstream: UpstreamConfig,
  config: Config,
  parts: PoolParts,
): (spec: EndpointSpec) => Upstream {
  const own = portsOf(config).filter(({ name }) => name !== INBOUND);
  return ({ address, port }) => {
    const loop = own.find((listener) => listener.port === port);
    if (loop !== undefined && isLocalAddress(address))
      return new LoopUpstream(address, port, loop.name);
    return pool(address, port, upstream, config, parts);
  };
}

/** Makes the connections to the local application; none to our own inbound port. */
export function inboundPools(config: Config, parts: PoolParts): (spec: EndpointSpec) => Upstream {
  const { inbound } = config;
  return ({ address, port }) =>
    port === inbound.port && isLocalAddress(address)
      ? new LoopUpstream(address, port, INBOUND)
      : pool(address, port, inbound, config, parts);
}

/** What pools are made with, as text: they are made anew when a reload changes it. */
export function poolSettings({ limits, connectTimeoutMs }: UpstreamConfig | Inbound): string {
  const { maxConnections, maxWaiting, queueTimeoutMs } = limits;
  return JSON.stringify({ connectTimeoutMs, maxConnections, maxWaiting, queueTimeoutMs });
}

function pool(
  address: string,
  port: number,
  settings: UpstreamConfig | Inbound,
  config: Config,
  { clock, onBug }: PoolParts,
): Http1Pool {
  const { limits, connectTimeoutMs } = settings;
  return new Http1Pool({
    address,
    port,
    clock,
    onBug,
    limits: httpLimits(config),
    connectTimeoutMs,
    maxConnections: limits.maxConnections,
    maxWaiting: limits.maxWaiting,
    queueTimeoutMs: limits.queueTimeoutMs,
    ...('appPort' in settings ? { refusedCode: 'app_unreachable' as const } : {}),
  });
}
