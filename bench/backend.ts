import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The service behind every subject, and a collector that accepts spans and drops them. */
export interface Backend {
  readonly port: number;
  readonly otlpPort: number;
  /** Requests answered since the start. */
  served(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts the service in a process of its own, on free loopback ports. */
export async function startBackend(): Promise<Backend> {
  const program = fileURLToPath(new URL('backend-process.ts', import.meta.url));
  const child = fork(program, [], { execArgv: ['--import', 'tsx'] });
  const ended = once(child, 'exit').then(() => null);
  const next = async <T>(): Promise<T> => {
    const received = await Promise.race([once(child, 'message'), ended]);
    if (received === null) throw new Error('the backend of the benchmark ended');
    return received[0] as T;
  };
  const { port, otlpPort } = await next<{ port: number; otlpPort: number }>();
  return {
    port,
    otlpPort,
    served: async () => {
      const answer = next<{ served: number }>();
      child.send('served');
      return (await answer).served;
    },
    stop: async () => {
      child.disconnect();
      await ended;
    },
  };
}
