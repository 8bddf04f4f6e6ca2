import { Agent, get } from 'node:http';
import type { ClustersView, TracesView } from '../admin/views.ts';

/** Reads the admin API of the mesh's sidecars on loopback. Null when one does not answer in time. */
export class AdminClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 2 });

  async clusters(port: number): Promise<ClustersView | null> {
    return (await this.#json(port, '/clusters')) as ClustersView | null;
  }

  /** The newest spans, at most so many. */
  async traces(port: number, limit: number): Promise<TracesView | null> {
    return (await this.#json(port, `/traces?limit=${limit}`)) as TracesView | null;
  }

  async ready(port: number): Promise<boolean> {
    return (await fetchText(this.#agent, port, '/readyz'))?.status === 200;
  }

  close(): void {
    this.#agent.destroy();
  }

  async #json(port: number, path: string): Promise<unknown> {
    const answer = await fetchText(this.#agent, port, path);
    if (answer === null || answer.status !== 200) return null;
    try {
      return JSON.parse(answer.body);
    } catch {
      return null;
    }
  }
}

const TIMEOUT_MS = 1500;
const MAX_BYTES = 32 * 1024 * 1024;

interface Text {
  readonly status: number;
  readonly body: string;
}

/** GET on loopback; null for anything but a whole answer within the time. */
export function fetchText(
  agent: Agent | undefined,
  port: number,
  path: string,
): Promise<Text | null> {
  return new Promise((resolve) => {
    const request = get(
      { host: '127.0.0.1', port, path, ...(agent === undefined ? {} : { agent }) },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => {
          body += piece;
          if (body.length > MAX_BYTES) request.destroy();
        });
        response.once('end', () => finish({ status: response.statusCode ?? 0, body }));
        response.once('close', () => finish(null));
      },
    );
    const finish = (answer: Text | null) => {
      clearTimeout(timer);
      resolve(answer);
    };
    const timer = setTimeout(() => request.destroy(), TIMEOUT_MS);
    request.once('error', () => finish(null));
    request.once('close', () => finish(null));
  });
}
