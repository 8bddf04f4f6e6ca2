import { connect, createServer, type Server, type Socket } from 'node:net';
import { hookAccepts } from './accept.ts';
import { readBuffer } from './read-buffer.ts';
import type { ReadMode } from './tcp.ts';

/** How long the whole test may take; loopback needs a few milliseconds. */
const TEST_TIMEOUT_MS = 2000;

/** How accepted connections are read in this process, and why not in the better way. */
export interface AcceptMode {
  readonly mode: ReadMode;
  /** What differed from the Node versions it was written for; null in mode `shared`. */
  readonly reason: string | null;
}

let tested: Promise<AcceptMode> | null = null;

/** The mode of this process: the result of the start-up self-test, which runs once. */
export function acceptMode(): Promise<AcceptMode> {
  tested ??= testAccepts(hookAccepts);
  return tested;
}

/**
 * Proves on a loopback listener that accepted connections can read into the shared buffer on this Node: the
 * buffer is the one given, pausing and resuming loses nothing, end and reset are reported. Resolves always.
 */
export async function testAccepts(hook: typeof hookAccepts): Promise<AcceptMode> {
  const server = createServer();
  const sockets: Socket[] = [];
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(resolve, TEST_TIMEOUT_MS, 'the self-test did not end in time');
    });
    const reason = await Promise.race([probe(server, sockets, hook), late]);
    return reason === null ? { mode: 'shared', reason: null } : { mode: 'events', reason };
  } catch (error) {
    return { mode: 'events', reason: `the self-test failed: ${String(error)}` };
  } finally {
    clearTimeout(timer);
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

/** Sends two messages, then FIN; then a second connection that is reset. Resolves with what was wrong. */
function probe(
  server: Server,
  sockets: Socket[],
  hook: typeof hookAccepts,
): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const keep = (socket: Socket): Socket => {
      sockets.push(socket);
      return socket.on('error', () => undefined);
    };
    const fail = (reason: string): void => resolve(reason);
    const dial = (): Socket => {
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('no address');
      return keep(connect({ host: '127.0.0.1', port: address.port, noDelay: true }));
    };
    let client: Socket | null = null;
    let accepted = 0;
    let received = '';
    let paused = false;

    const first = (length: number, memory: Uint8Array, socket: Socket): boolean => {
      if (memory !== readBuffer) fail('bytes arrived in another buffer');
      if (paused) fail('bytes arrived while paused');
      received += readBuffer.toString('latin1', 0, length);
      if (received !== 'one') return true;
      paused = true;
      client?.end('two');
      // The second message is in the kernel by the next turns of the loop; a paused socket must leave it there.
      setTimeout(() => {
        paused = false;
        socket.resume();
      }, 2);
      return false;
    };
    const second = (socket: Socket): void => {
      let reset: NodeJS.ErrnoException | null = null;
      socket.on('error', (error) => {
        reset = error;
      });
      socket.on('close', () =>
        resolve(reset?.code === 'ECONNRESET' ? null : 'a reset was not reported'),
      );
      client?.resetAndDestroy();
    };

    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const hooked = hook(
        server,
        (incoming) => {
          try {
            accepted++;
            const socket: Socket = keep(
              incoming.socket({
                buffer: readBuffer,
                callback: (length, memory) => first(length, memory, socket),
              }),
            );
            if (incoming.address !== '127.0.0.1') fail('the peer address was missing');
            if (accepted === 2) return second(socket);
            socket.on('end', () => {
              if (received !== 'onetwo') return fail('bytes were lost across a pause');
              client = dial();
            });
          } catch (error) {
            reject(error);
          }
        },
        (status) => fail(`accept failed with ${status}`),
      );
      if (!hooked) return fail('the listening handle has no onconnection');
      client = dial();
      client.write('one');
    });
  });
}
