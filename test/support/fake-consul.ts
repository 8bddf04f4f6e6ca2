import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeRequest {
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly token: string | undefined;
  readonly body: string;
}

/** An answer that is no answer: the connection breaks in the body, or nothing ever comes. */
export type FakeAnswer =
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: string }
  | 'cut'
  | 'hang';

export interface FakeInstance {
  readonly id: string;
  readonly port?: number;
  readonly checks?: readonly { readonly id: string; readonly status: string }[];
}

interface Waiting {
  readonly service: string;
  readonly response: ServerResponse;
}

/**
 * A Consul agent and server in one, small and scriptable: health lists with real blocking, agent
 * registrations, and answers that a test puts in front of the normal ones.
 */
export class FakeConsul {
  readonly requests: FakeRequest[] = [];
  /** Registration bodies by service id. */
  readonly registered = new Map<string, Record<string, unknown>>();
  readonly inMaintenance = new Set<string>();
  /** Fields of a registration that this version does not know. */
  readonly unknownFields = new Set<string>();
  index = 100n;
  /** Whether the token may read services. */
  readable = true;
  knownLeader = true;
  version = '1.8.7';
  /** Versions of the servers where they are not the agent's. */
  serverVersions: readonly string[] | null = null;
  /** Whether the token may read the agent's own configuration. */
  agentReadable = true;
  readonly #services = new Map<string, readonly FakeInstance[]>();
  #server: Server | null = null;
  #port = 0;
  #next: FakeAnswer[] = [];
  #always: FakeAnswer | null = null;
  #waiting: Waiting[] = [];

  static async start(): Promise<FakeConsul> {
    const fake = new FakeConsul();
    await fake.up();
    return fake;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Requests for the health of any service. */
  get reads(): readonly FakeRequest[] {
    return this.requests.filter(({ path }) => path.startsWith('/v1/health/service/'));
  }

  /** Changes a service as the catalogue does: the index rises and who waits is answered. */
  set(service: string, instances: readonly FakeInstance[]): void {
    this.index += 1n;
    this.replace(service, instances);
  }

  /** Changes a service and nothing else: what a restored or restarting server does. */
  replace(service: string, instances: readonly FakeInstance[]): void {
    this.#services.set(service, instances);
    this.wake();
  }

  /** Answers all that wait, changed or not. */
  wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { service, response } of waiting) this.#answerHealth(service, response);
  }

  /** Puts answers in front of the normal ones for health requests, one each. */
  next(...answers: readonly FakeAnswer[]): void {
    this.#next.push(...answers);
    this.wake();
  }

  /** The answer to every health request from now on, or null for the normal ones. */
  always(answer: FakeAnswer | null): void {
    this.#always = answer;
    this.wake();
  }

  /** The agent loses what was registered with it. */
  forget(): void {
    this.registered.clear();
    this.inMaintenance.clear();
  }

  async up(): Promise<void> {
    const server = createServer((request, response) => void this.#serve(request, response));
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Refuses connections until `up`, on the same port. */
  async down(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    this.#waiting = [];
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', 'http://fake');
    const token = request.headers['x-consul-token'];
    const asked: FakeRequest = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      token: Array.isArray(token) ? token[0] : token,
      body: Buffer.concat(chunks).toString('utf8'),
    };
    this.requests.push(asked);
    this.#route(asked, response);
  }

  #route(asked: FakeRequest, response: ServerResponse): void {
    const [, , area = '', kind = '', third = '', last = ''] = asked.path.split('/');
    const name = decodeURIComponent(last || third);
    if (area === 'health') this.#health(name, asked, response);
    else if (area === 'catalog') this.#catalog(decodeURIComponent(third), response);
    else if (asked.path === '/v1/agent/self' && !this.agentReadable) {
      send(response, { status: 403, body: 'Permission denied' });
    } else if (asked.path === '/v1/agent/self') {
      send(response, { body: JSON.stringify({ Config: { Version: this.version } }) });
    } else if (asked.path === '/v1/agent/checks') {
      send(response, { body: '{}' });
    } else if (kind === 'service') this.#agentService(third, name, asked, response);
    else if (kind === 'check') this.#pass(name, response);
    else send(response, { status: 404, body: 'no such endpoint' });
  }

  #health(service: string, asked: FakeRequest, response: ServerResponse): void {
    const index = asked.query.get('index');
    const blocks = index !== null && BigInt(index) >= this.index;
    if (blocks && this.#always === null && this.#next.length === 0) {
      this.#waiting.push({ service, response });
    } else {
      this.#answerHealth(service, response);
    }
  }

  #answerHealth(service: string, response: ServerResponse): void {
    const answer = this.#next.shift() ?? this.#always;
    if (answer === 'hang') return;
    if (answer === 'cut') {
      response.writeHead(200, { 'content-length': 1000, 'x-consul-index': String(this.index) });
      response.write('[{"Node":', () => response.destroy());
      return;
    }
    if (answer !== null) {
      send(response, answer);
      return;
    }
    send(response, {
      headers: {
        'x-consul-index': String(this.index),
        'x-consul-knownleader': String(this.knownLeader),
        'x-consul-lastcontact': '0',
      },
      body: healthBody(this.readable ? (this.#services.get(service) ?? []) : []),
    });
  }

  #catalog(service: string, response: ServerResponse): void {
    const servers = (this.serverVersions ?? [this.version]).map((version) => ({
      ServiceID: 'consul',
      ServiceMeta: { version },
    }));
    const registered = [...this.registered.values()]
      .filter((body) => body['Name'] === service)
      .map((body) => ({ ServiceID: body['ID'], ServiceMeta: {} }));
    const listed = service === 'consul' ? servers : registered;
    send(response, { body: JSON.stringify(this.readable ? listed : []) });
  }

  #agentService(verb: string, id: string, asked: FakeRequest, response: ServerResponse): void {
    if (verb === 'register') {
      const body = JSON.parse(asked.body) as Record<string, unknown>;
      const unknown = Object.keys(body).find((field) => this.unknownFields.has(field));
      if (unknown !== undefined) {
        const text = `Request decode failed: json: unknown field "${unknown}"`;
        send(response, { status: 400, body: text });
        return;
      }
      this.registered.set(String(body['ID']), body);
      this.inMaintenance.delete(String(body['ID']));
    } else if (verb === 'deregister') {
      this.registered.delete(id);
    } else if (verb === 'maintenance') {
      if (asked.query.get('enable') === 'true') this.inMaintenance.add(id);
      else this.inMaintenance.delete(id);
    }
    send(response, {});
  }

  #pass(checkId: string, response: ServerResponse): void {
    const known = [...this.registered.keys()].some((id) => `${id}-ttl` === checkId);
    if (known) send(response, {});
    else send(response, { status: 500, body: `CheckID "${checkId}" does not have associated TTL` });
  }
}

/** The answer of `GET /v1/health/service/:name`, as Consul spells it. */
export function healthBody(instances: readonly FakeInstance[]): string {
  return JSON.stringify(
    instances.map(({ id, port = 9000, checks = [] }) => ({
      Node: { Node: `node-${id}`, Address: '10.0.0.1', Meta: { zone: 'a' } },
      Service: {
        ID: id,
        Service: 'web',
        Tags: [],
        Address: '127.0.0.1',
        Port: port,
        Meta: null,
        Weights: { Passing: 1, Warning: 1 },
      },
      Checks: checks.map((check) => ({ CheckID: check.id, Status: check.status, ServiceID: id })),
    })),
  );
}

/** Instances `a-0` to `a-<count - 1>`. */
export function instances(count: number, prefix = 'a'): readonly FakeInstance[] {
  return Array.from({ length: count }, (_, i) => ({ id: `${prefix}-${i}`, port: 9000 + i }));
}

function send(response: ServerResponse, answer: Exclude<FakeAnswer, string>): void {
  const type = /^[[{]/.test(answer.body ?? '') ? 'application/json' : 'text/plain; charset=utf-8';
  response.writeHead(answer.status ?? 200, { 'content-type': type, ...answer.headers });
  response.end(answer.body ?? '');
}
