import { LOCAL_APPLICATION } from './config/reserved.ts';
import type { Config } from './config/schema.ts';

/** Name of the cluster whose one endpoint is the local application, and of the listener before it. */
export const INBOUND = LOCAL_APPLICATION;
export const FORWARD_PROXY = 'forward-proxy';

/** Name of the listener of an upstream's own port. */
export function upstreamEntry(name: string): string {
  return `upstream:${name}`;
}

/** A port that is to be open. */
export interface Port {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** The ports a configuration asks for. */
export function portsOf(config: Config): readonly Port[] {
  const ports: Port[] = [];
  const { inbound, forwardProxy } = config;
  if (inbound.appPort !== null) {
    ports.push({ name: INBOUND, host: inbound.host, port: inbound.port });
  }
  for (const { name, host, port } of config.upstreams) {
    if (port !== null) ports.push({ name: upstreamEntry(name), host, port });
  }
  if (forwardProxy.enabled) {
    ports.push({ name: FORWARD_PROXY, host: forwardProxy.host, port: forwardProxy.port });
  }
  return ports;
}
