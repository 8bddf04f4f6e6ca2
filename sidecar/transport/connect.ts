import { connect, isIP, type Socket } from 'node:net';
import type { Clock } from '../../telemetry/clock.ts';
import { Failure, type FailureCode } from '../failure.ts';
import { outputs } from './flush.ts';
import { type ReadMode, TcpTransport } from './tcp.ts';

export interface ConnectOptions {
  /** IPv4 or IPv6 without brackets; names are resolved by `HostName`. */
  readonly address: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly onBug: (error: unknown) => void;
  readonly readMode?: ReadMode;
}

/** A connection being opened. */
export interface Connecting {
  /** Gives up; the callback is not called any more. */
  cancel(): void;
}

/**
 * Opens a TCP connection and calls back exactly once, later, with the transport or why there is none:
 * `connection_refused` (any network error, the errno is in the evidence), `connect_timeout`, or
 * `overloaded` when this machine has no descriptor or port left. The callback attaches a handler.
 */
export function connectTcp(
  options: ConnectOptions,
  ready: (result: TcpTransport | Failure) => void,
): Connecting {
  const { address, port } = options;
  if (isIP(address) === 0 || !Number.isInteger(port) || port < 1 || port > 65_535)
    return refuseLater(
      new Failure('connection_refused', 'not an address', { address, port }),
      ready,
    );

  let socket: Socket | null = null;
  let settled = false;
  const transport = new TcpTransport(
    (onread) => {
      socket = connect({
        host: address,
        port,
        allowHalfOpen: true,
        noDelay: true,
        ...(onread === undefined ? {} : { onread }),
      });
      return socket;
    },
    {
      readMode: options.readMode ?? 'shared',
      remoteAddress: address,
      remotePort: port,
      onBug: options.onBug,
    },
  );
  const settle = (result: TcpTransport | Failure): void => {
    if (settled) return;
    settled = true;
    timer.cancel();
    outputs.enter();
    try {
      ready(result);
    } catch (error) {
      transport.destroy();
      options.onBug(error);
    }
    outputs.leave();
  };
  const timer = options.clock.schedule(options.timeoutMs, () => {
    transport.destroy();
    settle(
      new Failure(
        'connect_timeout',
        `no connection to ${address}:${port} in ${options.timeoutMs} ms`,
        { address, port, connect_timeout_ms: options.timeoutMs },
      ),
    );
  });
  const opening = socket as unknown as Socket;
  opening.once('connect', () => settle(transport));
  opening.once('error', (error: NodeJS.ErrnoException) => settle(connectFailure(error, options)));
  return {
    cancel: () => {
      if (settled) return;
      settled = true;
      timer.cancel();
      transport.destroy();
    },
  };
}

function refuseLater(failure: Failure, ready: (failure: Failure) => void): Connecting {
  let cancelled = false;
  queueMicrotask(() => {
    if (!cancelled) ready(failure);
  });
  return {
    cancel: () => {
      cancelled = true;
    },
  };
}

/** Errors of `connect` that say something about this machine, not about the peer. */
const exhausted = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM']);

/** What the commoner errors mean in words. */
const reasons: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'nothing listens there'],
  ['ECONNRESET', 'it closed the connection at once'],
  ['EHOSTUNREACH', 'no way leads to that host'],
  ['ENETUNREACH', 'no way leads to that network'],
  ['ETIMEDOUT', 'nothing answered'],
]);

function connectFailure(error: NodeJS.ErrnoException, { address, port }: ConnectOptions): Failure {
  const errno = error.code ?? 'unknown';
  let code: FailureCode = 'connection_refused';
  if (errno === 'ETIMEDOUT') code = 'connect_timeout';
  else if (exhausted.has(errno)) code = 'overloaded';
  const why = exhausted.has(errno) ? 'this machine is at a limit of its own' : reasons.get(errno);
  return new Failure(code, `cannot connect to ${address}:${port}: ${why ?? errno}`, {
    address,
    port,
    errno,
  });
}
