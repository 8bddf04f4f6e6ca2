import { createServer, type Server } from 'node:net';
import type { Clock } from '../../telemetry/clock.ts';
import type { Peer } from '../message/head.ts';
import { hookAccepts, type Incoming, listenForAccepts } from '../transport/accept.ts';
import { acceptMode } from '../transport/accept-mode.ts';
import { raiseBug } from '../transport/raise-bug.ts';
import { type ReadMode, TcpTransport } from '../transport/tcp.ts';
import type { Transport, TransportHandler } from '../transport/transport.ts';
import { ConnectionLimit, defaultMaxConnections } from './connection-limit.ts';

/** What serves one accepted connection. */
export interface AcceptedConnection extends TransportHandler {
  /** Finish the exchanges under way, tell the peer, then close. */
  drain(): void;
  /** Drop everything now. */
  destroy(): void;
  /** No exchange is under way. */
  readonly idle: boolean;
}

export interface ListenOptions {
  /** For messages and the admin API. */
  readonly name: string;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly clock: Clock;
  /** Accepted connections: a number for this listener alone, or the limit it shares with others. Default: from the descriptor limit. */
  readonly maxConnections?: number | ConnectionLimit;
  /** Accepted connections of one address. Default 1,024; infinite where the only source is the local application. */
  readonly maxConnectionsPerSource?: number;
  /** Serves a connection of the listener; its handler is attached when this returns. */
  readonly accept: (transport: Transport, peer: Peer, listener: Listener) => AcceptedConnection;
  readonly onBug?: (error: unknown) => void;
  /** Default: what the start-up self-test found. */
  readonly readMode?: ReadMode;
}

/** Connections waiting in the kernel until we accept them; the kernel caps it at `net.core.somaxconn`. */
const BACKLOG = 4096;

/** A bound port, the connections it has accepted, and how they end. */
export class Listener {
  /** A reload may give the port to another entry; what is open goes along. */
  name: string;
  readonly address: string;
  readonly port: number;
  /** Since the start. */
  accepted = 0;
  refused = 0;
  readonly #server: Server;
  readonly #options: ListenOptions;
  readonly #readMode: ReadMode;
  readonly #limit: ConnectionLimit;
  readonly #connections = new Set<AcceptedConnection>();
  readonly #bySource = new Map<string, number>();
  #paused = false;
  #stopped = false;
  #draining = false;
  #onEmpty: Array<() => void> = [];

  /** Binds the port. An `Error` with one sentence for people when that is not possible. */
  static async listen(options: ListenOptions): Promise<Listener | Error> {
    const readMode = options.readMode ?? (await acceptMode()).mode;
    return new Promise((resolve) => {
      const server = createServer({ allowHalfOpen: true, noDelay: true });
      const failed = (error: NodeJS.ErrnoException): void => resolve(listenError(options, error));
      server.once('error', failed);
      server.listen({ host: options.host, port: options.port, backlog: BACKLOG }, () => {
        server.off('error', failed);
        resolve(new Listener(server, options, readMode));
      });
    });
  }

  private constructor(server: Server, options: ListenOptions, readMode: ReadMode) {
    const { maxConnections = defaultMaxConnections() } = options;
    this.name = options.name;
    this.#server = server;
    this.#options = options;
    this.#limit =
      typeof maxConnections === 'number' ? new ConnectionLimit(maxConnections) : maxConnections;
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new Error('not a TCP listener');
    this.address = bound.address;
    this.port = bound.port;
    // An accept that failed, for want of descriptors for instance: the connection is lost, the port is not.
    const lost = (): void => {
      this.refused++;
    };
    server.on('error', lost);
    const onIncoming = (incoming: Incoming): void => this.#accept(incoming);
    const hooked = readMode === 'shared' && hookAccepts(server, onIncoming, lost);
    this.#readMode = hooked ? 'shared' : 'events';
    if (!hooked) listenForAccepts(server, onIncoming);
  }

  /** How accepted connections are read; `events` costs more. */
  get readMode(): ReadMode {
    return this.#readMode;
  }

  /** Connections now. */
  get open(): number {
    return this.#connections.size;
  }

  /** Connections with an exchange under way. */
  get busy(): number {
    let busy = 0;
    for (const connection of this.#connections) if (!connection.idle) busy++;
    return busy;
  }

  /** Refuses new connections at once, rather than leaving them to wait unserved; those that are open go on. */
  pauseAccept(): void {
    this.#paused = true;
  }

  resumeAccept(): void {
    this.#paused = false;
  }

  /** Closes the port for good; connections go on. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#server.close();
  }

  /** Asks every connection to finish and close, also those still accepted until `stop`. */
  drain(): void {
    this.#draining = true;
    for (const connection of this.#connections) this.#call(() => connection.drain());
  }

  /** Stops, drops every connection and resolves when all are closed. */
  async close(): Promise<void> {
    this.stop();
    for (const connection of this.#connections) this.#call(() => connection.destroy());
    await this.emptied();
  }

  /** Resolves as soon as no connection is open. */
  emptied(): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty.push(resolve);
    });
  }

  #accept(incoming: Incoming): void {
    const { address, port } = incoming;
    const fromSource = this.#bySource.get(address) ?? 0;
    if (
      this.#paused ||
      this.#stopped ||
      fromSource >= (this.#options.maxConnectionsPerSource ?? 1024) ||
      !this.#limit.tryEnter()
    ) {
      this.refused++;
      incoming.refuse();
      return;
    }
    this.accepted++;
    this.#bySource.set(address, fromSource + 1);
    let connection: AcceptedConnection | null = null;
    let transport: TcpTransport | null = null;
    try {
      transport = new TcpTransport((onread) => incoming.socket(onread), {
        readMode: this.#readMode,
        remoteAddress: address,
        remotePort: port,
        onBug: this.#onBug,
        onGone: () => this.#gone(address, connection),
      });
      connection = this.#options.accept(transport, { address, port, identity: null }, this);
      this.#connections.add(connection);
      transport.attach(connection);
      if (this.#draining) connection.drain();
    } catch (error) {
      if (transport === null) this.#gone(address, null);
      transport?.destroy();
      this.#onBug(error);
    }
  }

  #gone(address: string, connection: AcceptedConnection | null): void {
    this.#limit.leave();
    const left = (this.#bySource.get(address) ?? 1) - 1;
    if (left === 0) this.#bySource.delete(address);
    else this.#bySource.set(address, left);
    if (connection !== null) this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    const waiting = this.#onEmpty;
    this.#onEmpty = [];
    for (const resolve of waiting) resolve();
  }

  #call(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#onBug(error);
    }
  }

  get #onBug(): (error: unknown) => void {
    return this.#options.onBug ?? raiseBug;
  }
}

function listenError(options: ListenOptions, error: NodeJS.ErrnoException): Error {
  const cause = causes[error.code ?? ''] ?? error.code ?? error.message;
  const where = `${options.host}:${options.port}`;
  return new Error(`${options.name}: cannot listen on ${where}: ${cause}`, { cause: error });
}

const causes: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process uses the port',
  EACCES: 'ports below 1024 need root or CAP_NET_BIND_SERVICE',
  EADDRNOTAVAIL: 'this machine does not have the address',
  ENOTFOUND: 'the host is not an address of this machine',
};
