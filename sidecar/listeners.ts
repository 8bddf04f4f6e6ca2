import type { ListenerView } from './admin/views.ts';
import { FORWARD_PROXY, INBOUND, upstreamEntry } from './build.ts';
import type { Config } from './config/schema.ts';
import type { Listener } from './listener/listener.ts';

/** A port that is to be open. */
export interface Port {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** Opens one port; an error says in one sentence why it could not. */
export type OpenPort = (port: Port) => Promise<Listener | Error>;

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

/** The open ports of the sidecar, kept in line with the configuration. */
export class Listeners {
  readonly #openPort: OpenPort;
  readonly #open = new Map<string, { readonly port: Port; readonly listener: Listener }>();

  constructor(openPort: OpenPort) {
    this.#openPort = openPort;
  }

  get(name: string): Listener | null {
    return this.#open.get(name)?.listener ?? null;
  }

  /**
   * Opens what is new, all or nothing: with problems, returned one sentence each, everything stays as it
   * was. What is no longer asked for stays open until `retire`.
   */
  async open(ports: readonly Port[]): Promise<readonly string[]> {
    const fresh = ports.filter((port) => !samePort(port, this.#open.get(port.name)?.port));
    const results = await Promise.all(
      fresh.map(async (port) => ({ port, result: await this.#openPort(port) })),
    );
    const problems: string[] = [];
    const opened: { port: Port; listener: Listener }[] = [];
    for (const { port, result } of results) {
      if (result instanceof Error) problems.push(result.message);
      else opened.push({ port, listener: result });
    }
    if (problems.length > 0) {
      await Promise.all(opened.map(({ listener }) => listener.close()));
      return problems;
    }
    for (const { port, listener } of opened) {
      const previous = this.#open.get(port.name);
      this.#open.set(port.name, { port, listener });
      if (previous !== undefined) finish(previous.listener);
    }
    return [];
  }

  /** Closes ports that are not in the list; their running requests finish. */
  retire(ports: readonly Port[]): void {
    const wanted = new Set(ports.map(({ name }) => name));
    for (const [name, { listener }] of this.#open) {
      if (wanted.has(name)) continue;
      this.#open.delete(name);
      finish(listener);
    }
  }

  /** Connections now, over all ports. */
  get connections(): number {
    let connections = 0;
    for (const { listener } of this.#open.values()) connections += listener.open;
    return connections;
  }

  /** Closes every port; the requests that run finish. */
  finish(): void {
    for (const { listener } of this.#open.values()) finish(listener);
  }

  /** Drops every port and every connection. */
  async close(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(all.map(({ listener }) => listener.close()));
  }

  views(): ListenerView[] {
    return [...this.#open].map(([name, { listener }]) => ({
      name,
      address: listener.address,
      port: listener.port,
      connections: listener.open,
      accepted: listener.accepted,
      refused: listener.refused,
    }));
  }
}

function finish(listener: Listener): void {
  listener.stop();
  listener.drain();
}

function samePort(one: Port, other: Port | undefined): boolean {
  return other !== undefined && one.host === other.host && one.port === other.port;
}
