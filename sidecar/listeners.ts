import type { ListenerView } from './admin/views.ts';
import type { Listener } from './listener/listener.ts';
import type { Port } from './ports.ts';

/** Opens one port; an error says in one sentence why it could not. */
export type OpenPort = (port: Port) => Promise<Listener | Error>;

/** The open ports of the sidecar, kept in line with the configuration. */
export class Listeners {
  readonly #openPort: OpenPort;
  #open = new Map<string, OpenListener>();
  /** Opened and not yet taken into use by `keep`. */
  #fresh: OpenListener[] = [];

  constructor(openPort: OpenPort) {
    this.#openPort = openPort;
  }

  get(name: string): Listener | null {
    return this.#open.get(name)?.listener ?? null;
  }

  /**
   * Opens what is new, all or nothing: with problems, returned one sentence each, everything stays as it
   * was. An address that is open already, under whichever name, is not opened again.
   */
  async open(ports: readonly Port[]): Promise<readonly string[]> {
    const fresh = ports.filter((port) => !this.#holds(port));
    const results = await Promise.all(
      fresh.map(async (port) => ({ port, result: await this.#openPort(port) })),
    );
    const problems: string[] = [];
    const opened: OpenListener[] = [];
    for (const { port, result } of results) {
      if (result instanceof Error) problems.push(result.message);
      else opened.push({ port, listener: result });
    }
    if (problems.length === 0) this.#fresh = opened;
    else await Promise.all(opened.map(({ listener }) => listener.close()));
    return problems;
  }

  /**
   * Keeps these ports, which are all open, and no others: those close, and their running requests finish. An
   * address that changes its name stays open, with its connections.
   */
  keep(ports: readonly Port[]): void {
    const before = new Set([...this.#open.values(), ...this.#fresh]);
    const kept = new Map<string, OpenListener>();
    for (const port of ports) {
      for (const open of before) {
        if (!sameAddress(open.port, port)) continue;
        before.delete(open);
        open.listener.name = port.name;
        kept.set(port.name, { port, listener: open.listener });
        break;
      }
    }
    this.#open = kept;
    this.#fresh = [];
    for (const { listener } of before) finish(listener);
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
    const all = [...this.#open.values(), ...this.#fresh];
    this.#open.clear();
    this.#fresh = [];
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
      readMode: listener.readMode,
    }));
  }

  #holds(port: Port): boolean {
    for (const open of this.#open.values()) if (sameAddress(open.port, port)) return true;
    return false;
  }
}

function finish(listener: Listener): void {
  listener.stop();
  listener.drain();
}

interface OpenListener {
  readonly port: Port;
  readonly listener: Listener;
}

function sameAddress(one: Port, other: Port): boolean {
  return one.host === other.host && one.port === other.port;
}
