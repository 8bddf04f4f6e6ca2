import { type OnReadOpts, type Server, Socket } from 'node:net';

/** The part of a listening or accepted TCP handle of Node that is used here; it is not documented. */
interface TcpHandle {
  onconnection?: (status: number, accepted: TcpHandle | undefined) => void;
  getpeername(out: { address?: string; port?: number }): number;
  close(): void;
}

/** An accepted connection before it has a socket. */
export interface Incoming {
  readonly address: string;
  readonly port: number;
  socket(onread: OnReadOpts | undefined): Socket;
  refuse(): void;
}

/**
 * Takes accepted connections from the handle of a listening server, so that they can read into a given
 * buffer, for which Node has no public option. Call it while the `listening` event is delivered: nothing can
 * have been accepted before. The server itself sees no connection any more. False: this Node is different.
 */
export function hookAccepts(
  server: Server,
  onIncoming: (incoming: Incoming) => void,
  onError: (status: number) => void,
): boolean {
  const listening = (server as unknown as { _handle?: TcpHandle | null })._handle;
  if (typeof listening?.onconnection !== 'function') return false;
  listening.onconnection = (status, accepted) => {
    if (status !== 0 || accepted === undefined) onError(status);
    else onIncoming(incomingOf(accepted));
  };
  return true;
}

/** The documented way: the server's own sockets, which deliver `data` events. */
export function listenForAccepts(server: Server, onIncoming: (incoming: Incoming) => void): void {
  server.on('connection', (socket) => {
    // Before anything else: a reset between accept and here would be an uncaught exception.
    socket.on('error', ignore);
    onIncoming({
      address: plainAddress(socket.remoteAddress ?? ''),
      port: socket.remotePort ?? 0,
      socket: () => socket,
      refuse: () => socket.destroy(),
    });
  });
}

function incomingOf(handle: TcpHandle): Incoming {
  const peer: { address?: string; port?: number } = {};
  // Fails when the peer has already reset the connection; the first read tells.
  handle.getpeername(peer);
  return {
    address: plainAddress(peer.address ?? ''),
    port: peer.port ?? 0,
    socket: (onread) => new Socket({ handle, onread, allowHalfOpen: true } as SocketOptions),
    refuse: () => handle.close(),
  };
}

/** `handle` and `onread` are missing in the types of the constructor. */
type SocketOptions = ConstructorParameters<typeof Socket>[0];

/** An IPv4 peer of a dual-stack listener appears as `::ffff:192.0.2.1`: one source, one name. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

function ignore(): void {}
