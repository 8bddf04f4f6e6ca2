import type { Path } from './config-error.ts';
import type { Config } from './schema.ts';

/** An address that a configuration binds, and the key that asks for it. */
export interface ListenAddress {
  readonly name: string;
  readonly path: Path;
  readonly host: string;
  readonly port: number;
}

/** Every port a sidecar with this configuration opens, those with a default port first. */
export function listenAddresses(config: Config): ListenAddress[] {
  const addresses: ListenAddress[] = [];
  const { inbound, forwardProxy, admin } = config;
  if (inbound.appPort !== null) {
    addresses.push({
      name: 'inbound',
      path: ['inbound', 'port'],
      host: inbound.host,
      port: inbound.port,
    });
  }
  if (forwardProxy.enabled) {
    const path: Path = ['forwardProxy', 'port'];
    addresses.push({
      name: 'the forward proxy',
      path,
      host: forwardProxy.host,
      port: forwardProxy.port,
    });
  }
  addresses.push({
    name: 'the admin API',
    path: ['admin', 'port'],
    host: admin.host,
    port: admin.port,
  });
  config.upstreams.forEach((upstream, index) => {
    if (upstream.port === null) return;
    const path: Path = ['upstreams', index, 'port'];
    addresses.push({
      name: `upstream ${upstream.name}`,
      path,
      host: upstream.host,
      port: upstream.port,
    });
  });
  return addresses;
}

/** Whether binding one host takes a port away from the other. */
export function hostsOverlap(a: string, b: string): boolean {
  const first = canonical(a);
  const second = canonical(b);
  return first === second || isWildcard(first) || isWildcard(second);
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function canonical(host: string): string {
  return host === 'localhost' ? '127.0.0.1' : host.toLowerCase();
}
