import { Failure } from '../../sidecar/failure.ts';
import { Listener } from '../../sidecar/listener/listener.ts';
import { connectTcp } from '../../sidecar/transport/connect.ts';
import type { ReadMode, TcpTransport } from '../../sidecar/transport/tcp.ts';
import type { Transport } from '../../sidecar/transport/transport.ts';
import { systemClock } from '../../telemetry/system-clock.ts';
import { RawPeer } from './raw-peer.ts';
import { RecordingHandler } from './recording-handler.ts';

/** Both ways of reading, for tests that must hold in either. */
export const readModes: readonly ReadMode[] = ['shared', 'events'];

/** A transport whose other end is a raw peer, and everything that has to be closed behind it. */
export interface Pair {
  readonly transport: Transport;
  readonly handler: RecordingHandler;
  readonly peer: RawPeer;
  readonly bugs: unknown[];
  close(): Promise<void>;
}

/** Accepts a connection of a raw peer. */
export async function acceptedPair(readMode: ReadMode): Promise<Pair> {
  const bugs: unknown[] = [];
  const handler = new RecordingHandler();
  let transport: Transport | null = null;
  const listener = await Listener.listen({
    name: 'test',
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    readMode,
    onBug: (error) => bugs.push(error),
    accept: (accepted) => {
      transport = accepted;
      return Object.assign(handler, {
        idle: false,
        drain: () => accepted.end(),
        destroy: () => accepted.destroy(),
      });
    },
  });
  if (listener instanceof Error) throw listener;
  const peer = await RawPeer.dial(listener.port);
  // Accepted in a turn of this same loop; the peer cannot have connected much later.
  while (transport === null) await new Promise((resolve) => setImmediate(resolve));
  return {
    transport,
    handler,
    peer,
    bugs,
    close: async () => {
      peer.socket.destroy();
      await listener.close();
    },
  };
}

/** Connects to a port of this machine; throws the failure's code when that fails. */
export function dialled(
  port: number,
  handler: RecordingHandler,
  readMode: ReadMode,
): Promise<TcpTransport> {
  return new Promise((resolve, reject) => {
    connectTcp(
      {
        address: '127.0.0.1',
        port,
        timeoutMs: 1000,
        clock: systemClock,
        onBug: reject,
        readMode,
      },
      (result) => {
        if (result instanceof Failure) {
          reject(new Error(result.code));
          return;
        }
        result.attach(handler);
        resolve(result);
      },
    );
  });
}
