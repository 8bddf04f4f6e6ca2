import { connect } from 'node:net';

/** An application that takes longer than this to accept is one that does not serve, milliseconds. */
const LIMIT_MS = 1000;

/** Why the application does not accept connections, in one sentence, or null when it does. */
export function probeApplication(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (problem: string | null): void => {
      socket.destroy();
      resolve(problem);
    };
    socket.setTimeout(LIMIT_MS, () => done(`${host}:${port} did not accept in ${LIMIT_MS} ms`));
    socket.once('connect', () => done(null));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      done(`${host}:${port} does not accept connections: ${error.code ?? error.message}`),
    );
  });
}
