import * as http from 'node:http';
import * as https from 'node:https';
import type { Clock } from '../../telemetry/clock.ts';
import type { ConsulAccess } from './access.ts';

export interface ConsulRequest {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  /** Path from `/v1` on; parts that come from names are encoded by `consulPath`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** From the first byte out to the last byte in. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Blocking queries have sockets of their own, so that a write never waits behind them. */
  readonly blocking?: boolean;
}

/** Any complete answer, whatever its status, or why there is none. */
export type ConsulOutcome =
  | {
      readonly ok: true;
      readonly status: number;
      readonly headers: http.IncomingHttpHeaders;
      readonly body: Buffer;
    }
  | { readonly ok: false; readonly reason: ConsulFailureReason; readonly error: Error };

/** `cut_short` is an answer that ended before it was complete; `cancelled` is our own signal. */
export type ConsulFailureReason =
  | 'connect_failed'
  | 'cut_short'
  | 'timeout'
  | 'too_large'
  | 'cancelled';

export interface ConsulTransportOptions {
  readonly access: ConsulAccess;
  readonly clock: Clock;
  /** Sockets for blocking queries. */
  readonly maxWatches: number;
  /** Answers above this are refused before they are parsed. */
  readonly maxBodyBytes: number;
}

/** Sockets for everything that does not block; agents allow 200 per client address by default. */
const CALL_SOCKETS = 4;

/**
 * Requests to one Consul agent over kept-alive connections. Never throws and never rejects: an answer
 * is whole or it is a failure. Built on `node:http`, as `fetch` gives up on long waits after 300 s.
 */
export class ConsulTransport {
  readonly #access: ConsulAccess;
  readonly #clock: Clock;
  readonly #maxBodyBytes: number;
  readonly #watches: http.Agent;
  /** For one-shot calls, also those of the npm client. */
  readonly calls: http.Agent;

  constructor(options: ConsulTransportOptions) {
    this.#access = options.access;
    this.#clock = options.clock;
    this.#maxBodyBytes = options.maxBodyBytes;
    this.#watches = openPool(options.access, options.maxWatches + 1);
    this.calls = openPool(options.access, CALL_SOCKETS);
  }

  get access(): ConsulAccess {
    return this.#access;
  }

  /** Retried once on a new connection where a kept-alive one turned out closed; every call here is idempotent. */
  async request(request: ConsulRequest): Promise<ConsulOutcome> {
    const token = await this.#access.token.current();
    const first = await this.#attempt(request, token);
    if (first.staleSocket) return (await this.#attempt(request, token)).outcome;
    if (!first.outcome.ok || first.outcome.status !== 403) return first.outcome;
    if (!(await this.#access.token.renewed(token))) return first.outcome;
    return (await this.#attempt(request, await this.#access.token.current())).outcome;
  }

  /** Closes the sockets; requests that still run fail. */
  close(): void {
    this.#watches.destroy();
    this.calls.destroy();
  }

  #attempt(
    request: ConsulRequest,
    token: string | null,
  ): Promise<{ readonly outcome: ConsulOutcome; readonly staleSocket: boolean }> {
    return new Promise((resolve) => {
      if (request.signal?.aborted === true) {
        resolve({ outcome: failed('cancelled', 'cancelled'), staleSocket: false });
        return;
      }
      const body = request.body === undefined ? null : Buffer.from(JSON.stringify(request.body));
      const call = this.#open(request, token, body);
      let staleSocket = false;
      let done = false;
      const settle = (outcome: ConsulOutcome): void => {
        if (done) return;
        done = true;
        deadline.cancel();
        request.signal?.removeEventListener('abort', cancel);
        if (!outcome.ok) call.destroy();
        resolve({ outcome, staleSocket });
      };
      const cancel = (): void => settle(failed('cancelled', 'cancelled'));
      const deadline = this.#clock.schedule(request.timeoutMs, () =>
        settle(failed('timeout', `no complete answer within ${request.timeoutMs} ms`)),
      );
      request.signal?.addEventListener('abort', cancel, { once: true });
      call.on('error', (error: NodeJS.ErrnoException) => {
        staleSocket = call.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        settle(failed('connect_failed', error.message || String(error.code), error));
      });
      call.on('response', (response) => this.#collect(response, settle));
      call.end(body ?? undefined);
    });
  }

  #open(request: ConsulRequest, token: string | null, body: Buffer | null): http.ClientRequest {
    const { address, tls } = this.#access;
    const options: http.RequestOptions = {
      method: request.method,
      path: request.path + this.#search(request.query),
      agent: request.blocking === true ? this.#watches : this.calls,
      headers: {
        'user-agent': 'outrigger',
        accept: 'application/json',
        ...(token === null ? {} : { 'x-consul-token': token }),
        ...(body === null
          ? { 'content-length': 0 }
          : { 'content-type': 'application/json', 'content-length': body.length }),
      },
      ...(address.kind === 'tcp'
        ? { host: address.host, port: address.port }
        : { host: 'localhost' }),
    };
    return tls === null ? http.request(options) : https.request(options);
  }

  #search(query: ConsulRequest['query']): string {
    const { datacenter, namespace, partition } = this.#access;
    const all = { ...query, dc: datacenter, ns: namespace, partition };
    const parts: string[] = [];
    for (const [key, value] of Object.entries(all)) {
      if (typeof value !== 'string') continue;
      // Flags such as `cached` are written without a value.
      parts.push(value === '' ? key : `${key}=${encodeURIComponent(value)}`);
    }
    return parts.length === 0 ? '' : `?${parts.join('&')}`;
  }

  #collect(response: http.IncomingMessage, settle: (outcome: ConsulOutcome) => void): void {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const refuse = (): void =>
      settle(failed('too_large', `the answer is larger than ${this.#maxBodyBytes} bytes`));
    if (Number(response.headers['content-length'] ?? 0) > this.#maxBodyBytes) {
      refuse();
      return;
    }
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > this.#maxBodyBytes) refuse();
      else chunks.push(chunk);
    });
    response.on('end', () =>
      settle({
        ok: true,
        status: response.statusCode ?? 0,
        headers: response.headers,
        body: Buffer.concat(chunks, bytes),
      }),
    );
    response.on('error', (error) => settle(failed('cut_short', 'the answer broke off', error)));
    response.on('close', () => settle(failed('cut_short', 'the answer broke off')));
  }
}

/** A path with names in it, each encoded: consulPath`/v1/health/service/${name}`. */
export function consulPath(texts: TemplateStringsArray, ...names: readonly string[]): string {
  return texts.reduce((path, text, i) => path + encodeURIComponent(names[i - 1] ?? '') + text);
}

function openPool(access: ConsulAccess, maxSockets: number): http.Agent {
  const { address, tls } = access;
  const common = {
    keepAlive: true,
    maxSockets,
    scheduling: 'lifo' as const,
    ...(address.kind === 'unix' ? { socketPath: address.path } : {}),
  };
  if (tls === null) return new http.Agent(common);
  return new https.Agent({
    ...common,
    rejectUnauthorized: tls.verify,
    ...(tls.ca === undefined ? {} : { ca: [...tls.ca] }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
  });
}

function failed(reason: ConsulFailureReason, message: string, cause?: Error): ConsulOutcome {
  const error = cause === undefined ? new Error(message) : new Error(message, { cause });
  return { ok: false, reason, error };
}
