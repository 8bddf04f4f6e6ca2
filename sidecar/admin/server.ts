import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log } from '../../telemetry/log.ts';
import { refusalOf } from './guard.ts';
import { PAGE, PAGE_POLICY } from './page.ts';
import type { AdminSource } from './source.ts';

export interface AdminServerOptions {
  /** Loopback address; the schema allows no other. */
  readonly host: string;
  /** 0: any free one, for tests. */
  readonly port: number;
}

/** Most open connections: a person, a scraper, a few probes. */
const MAX_CONNECTIONS = 64;
const HEAD_TIMEOUT_MS = 5000;
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 5000;
const MAX_HEAD_BYTES = 16_384;
const DEFAULT_SPANS = 500;
const MAX_SPANS = 100_000;

type Answer = (url: URL, response: ServerResponse) => void | Promise<void>;

interface Resource {
  readonly method: 'GET' | 'POST';
  readonly answer: Answer;
}

/**
 * The local admin API: health, metrics, views as JSON, a page for people, drain and quit. Answers
 * loopback names only, and no page of another origin.
 */
export class AdminServer {
  readonly #server: Server;
  readonly #options: AdminServerOptions;
  readonly #log: Log;
  readonly #resources: ReadonlyMap<string, Resource>;

  constructor(source: AdminSource, options: AdminServerOptions, log: Log) {
    this.#options = options;
    this.#log = log;
    this.#resources = resourcesOf(source);
    this.#server = createServer(
      {
        headersTimeout: HEAD_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        maxHeaderSize: MAX_HEAD_BYTES,
        connectionsCheckingInterval: 1000,
      },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** Listens; rejects when the port cannot be had. Resolves to the address that is bound. */
  start(): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port, this.#options.host, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => {
          this.#log.error({ error: error.message }, 'admin listener failed');
        });
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  /** Stops listening and closes every connection. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume();
    const refusal = refusalOf(request);
    if (refusal !== null) {
      sendError(response, 403, refusal);
      return;
    }
    const url = parseTarget(request.url ?? '/');
    const resource = url === null ? undefined : this.#resources.get(url.pathname);
    if (url === null || resource === undefined) {
      sendError(
        response,
        404,
        `no such resource; there are ${[...this.#resources.keys()].join(' ')}`,
      );
      return;
    }
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    if (method !== resource.method) {
      response.setHeader('allow', resource.method);
      sendError(response, 405, `${url.pathname} takes ${resource.method}`);
      return;
    }
    try {
      await resource.answer(url, response);
    } catch (error) {
      this.#log.error({ path: url.pathname, error: describe(error) }, 'admin request failed');
      if (response.headersSent) response.destroy();
      else sendError(response, 500, 'the view could not be made; the process log says why');
    }
  }
}

function resourcesOf(source: AdminSource): Map<string, Resource> {
  return new Map<string, Resource>([
    ['/', get((_url, response) => sendPage(response))],
    // Alive is whoever answers; a sidecar that waits for its registry must not be restarted for it.
    ['/healthz', get((_url, response) => sendJson(response, 200, source.ready()))],
    [
      '/readyz',
      get((_url, response) => {
        const view = source.ready();
        sendJson(response, view.ready ? 200 : 503, view);
      }),
    ],
    ['/metrics', get(async (_url, response) => sendMetrics(response, await source.metricsText()))],
    ['/clusters', get((url, response) => sendClusters(source, url, response))],
    ['/config', get((_url, response) => sendJson(response, 200, source.config()))],
    ['/traces', get((url, response) => sendTraces(source, url, response))],
    [
      '/drain',
      post((_url, response) => {
        source.drain();
        sendJson(response, 202, source.ready());
      }),
    ],
    [
      '/quitquitquit',
      post((_url, response) => {
        // The answer goes out first: whoever asked wants to know that it was heard.
        response.once('close', () => source.quit());
        response.setHeader('connection', 'close');
        sendJson(response, 202, source.ready());
      }),
    ],
  ]);
}

function get(answer: Answer): Resource {
  return { method: 'GET', answer };
}

function post(answer: Answer): Resource {
  return { method: 'POST', answer };
}

function sendClusters(source: AdminSource, url: URL, response: ServerResponse): void {
  const view = source.clusters();
  const service = url.searchParams.get('service');
  if (service === null) {
    sendJson(response, 200, view);
    return;
  }
  const clusters = view.clusters.filter((cluster) => cluster.name === service);
  if (clusters.length > 0) sendJson(response, 200, { ...view, clusters });
  else sendError(response, 404, 'no cluster of that name');
}

function sendTraces(source: AdminSource, url: URL, response: ServerResponse): void {
  const trace = url.searchParams.get('trace');
  const limit = url.searchParams.get('limit');
  if (trace !== null && !/^[0-9a-f]{32}$/.test(trace)) {
    sendError(response, 400, 'trace: expected 32 lower-case hex digits');
  } else if (limit !== null && !/^[1-9][0-9]{0,5}$/.test(limit)) {
    sendError(response, 400, 'limit: expected a whole number from 1');
  } else {
    const spans = limit === null ? DEFAULT_SPANS : Math.min(Number(limit), MAX_SPANS);
    sendJson(response, 200, source.traces(spans, trace));
  }
}

/** Null for what is not a path of ours; the base only makes the parser happy. */
function parseTarget(target: string): URL | null {
  if (!target.startsWith('/') || target.startsWith('//')) return null;
  return URL.canParse(target, 'http://localhost') ? new URL(target, 'http://localhost') : null;
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  send(response, status, 'application/json; charset=utf-8', `${JSON.stringify(body)}\n`);
}

function sendError(response: ServerResponse, status: number, error: string): void {
  // A refused request may have more to send than we care to read.
  response.setHeader('connection', 'close');
  sendJson(response, status, { error, status });
}

function sendMetrics(response: ServerResponse, text: string): void {
  send(response, 200, 'text/plain; version=0.0.4; charset=utf-8', text);
}

function sendPage(response: ServerResponse): void {
  response.setHeader('content-security-policy', PAGE_POLICY);
  send(response, 200, 'text/html; charset=utf-8', PAGE);
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
