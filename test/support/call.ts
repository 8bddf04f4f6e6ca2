import { type Agent, type IncomingHttpHeaders, request } from 'node:http';

export interface CallOptions {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Default: a connection of its own for this call. */
  readonly agent?: Agent;
  readonly limitMs?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Code of the error catalogue where the sidecar answered itself, else an empty text. */
  readonly code: string;
  readonly tookMs: number;
}

/** One HTTP call to a loopback port. Rejects when no whole response comes, also when it breaks off. */
export function call(port: number, options: CallOptions = {}): Promise<Answer> {
  const {
    method = 'GET',
    path = '/',
    headers = {},
    body,
    agent = false,
    limitMs = 10_000,
  } = options;
  const startMs = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, method, path, headers, agent, timeout: limitMs },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(parts).toString('utf8'),
            code: String(response.headers['outrigger-error'] ?? ''),
            tookMs: performance.now() - startMs,
          });
        });
      },
    );
    sent.on('timeout', () => sent.destroy(new Error(`no answer in ${limitMs} ms`)));
    sent.on('error', reject);
    sent.end(body);
  });
}
