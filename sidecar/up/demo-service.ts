import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  request as send,
} from 'node:http';

/** What one demo application is told at its start. */
export interface DemoSettings {
  readonly instance: string;
  readonly service: string;
  readonly zone: string;
  readonly port: number;
  readonly workMs: number;
  /** Loopback ports of the local sidecar, one per service that is called. */
  readonly upstreams: readonly { readonly service: string; readonly port: number }[];
  /** Shared secret of `POST /__control`, so that only the mesh that started it can disturb it. */
  readonly controlToken: string;
}

/** A disturbance: all zero is none. */
export interface Disturbance {
  /** Added to every answer, milliseconds. */
  readonly latencyMs: number;
  /** Share of requests answered with 503, 0–1. */
  readonly errorRate: number;
}

/**
 * The application of the local mesh: answers JSON that names itself and what its upstreams said,
 * and passes the trace context on. That is all a real application has to do for joined-up traces.
 */
export class DemoService {
  readonly #settings: DemoSettings;
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  #disturbance: Disturbance = { latencyMs: 0, errorRate: 0 };

  constructor(settings: DemoSettings) {
    this.#settings = settings;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
    // Longer than any pause in the steady traffic, so that the sidecar's idle connections outlive it.
    this.#server.keepAliveTimeout = 60_000;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#settings.port, '127.0.0.1', resolve);
    });
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/__control') return this.#control(request, response);
    request.resume();
    if (request.url === '/health') return reply(response, 200, { status: 'ok' });
    const { instance, service, zone, upstreams, workMs } = this.#settings;
    await pause(workMs + this.#disturbance.latencyMs);
    if (Math.random() < this.#disturbance.errorRate) {
      return reply(response, 503, { instance, error: 'told to fail' });
    }
    const context = traceContext(request.headers);
    const path = request.url ?? '/';
    const answers = await Promise.all(
      upstreams.map((upstream) => call(this.#agent, upstream, path, context)),
    );
    const failed = answers.some((it) => it.status >= 500);
    reply(response, failed ? 502 : 200, { instance, service, zone, path, calls: answers });
  }

  async #control(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const allowed = request.headers['outrigger-demo-control'] === this.#settings.controlToken;
    if (!allowed || request.method !== 'POST') {
      request.resume();
      return reply(response, 403, { error: 'control token expected' });
    }
    const wanted = parseDisturbance(await read(request));
    if (wanted === null) return reply(response, 400, { error: 'expected latencyMs, errorRate' });
    this.#disturbance = wanted;
    reply(response, 200, wanted);
  }
}

const MAX_BODY_BYTES = 64 * 1024;
const CALL_TIMEOUT_MS = 10_000;
const PROPAGATED = ['traceparent', 'tracestate', 'baggage'] as const;

interface Answer {
  readonly service: string;
  readonly status: number;
  readonly body: unknown;
}

function call(
  agent: Agent,
  upstream: { service: string; port: number },
  path: string,
  headers: Record<string, string>,
): Promise<Answer> {
  const { service, port } = upstream;
  return new Promise((resolve) => {
    const fail = (error: Error) => resolve({ service, status: 502, body: error.message });
    const request = send({ host: '127.0.0.1', port, path, headers, agent }, (response) => {
      const status = response.statusCode ?? 502;
      read(response).then((body) => resolve({ service, status, body: parseJson(body) }), fail);
    });
    request.setTimeout(CALL_TIMEOUT_MS, () => request.destroy(new Error('no answer in time')));
    request.once('error', fail);
    request.end();
  });
}

function traceContext(headers: IncomingHttpHeaders): Record<string, string> {
  const context: Record<string, string> = {};
  for (const name of PROPAGATED) {
    const value = headers[name];
    if (typeof value === 'string') context[name] = value;
  }
  return context;
}

function parseDisturbance(body: string): Disturbance | null {
  const value = parseJson(body);
  if (value === null || typeof value !== 'object') return null;
  const { latencyMs = 0, errorRate = 0 } = value as Partial<Disturbance>;
  const latencyFits = Number.isFinite(latencyMs) && latencyMs >= 0 && latencyMs <= 60_000;
  const rateFits = Number.isFinite(errorRate) && errorRate >= 0 && errorRate <= 1;
  return latencyFits && rateFits ? { latencyMs, errorRate } : null;
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
  });
  response.end(bytes);
}

async function read(message: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of message as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > MAX_BODY_BYTES) throw new Error('body too large');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
