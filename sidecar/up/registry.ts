import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A registry for development: the part of Consul's HTTP API that Outrigger uses, on loopback, in
 * memory, without access control. It exists so that the local mesh runs where no Consul is
 * installed; it is one node with one datacenter, and it forgets everything when it stops.
 *
 * Served: `agent/self`, `agent/services`, `agent/checks`, `agent/service/:id`, `agent/service/register`,
 * `agent/service/deregister/:id`, `agent/service/maintenance/:id`, `agent/check/{pass,warn,fail,update}/:id`,
 * `catalog/nodes`, `catalog/services`, `catalog/service/:name`, `health/service/:name`, `status/leader`.
 * The reads under `catalog` and `health` block with `index` and `wait`. Everything else is 404.
 */
export class DevelopmentRegistry {
  readonly #services = new Map<string, Registration>();
  /** Index of the last change to a service, kept after its last instance has gone. */
  readonly #indexes = new Map<string, number>();
  readonly #waiting = new Set<Waiter>();
  readonly #server: Server;
  #index = 1;
  #sweep: NodeJS.Timeout | null = null;

  constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(request, response);
    });
    this.#server.keepAliveTimeout = 60_000;
  }

  /** Binds to loopback; 0 takes any free port. Resolves to the port. */
  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    this.#sweep = setInterval(() => this.#expireChecks(Date.now()), SWEEP_MS);
    return (this.#server.address() as AddressInfo).port;
  }

  /** Breaks every connection, watches included, as a stopped agent does. */
  async close(): Promise<void> {
    if (this.#sweep !== null) clearInterval(this.#sweep);
    for (const waiter of this.#waiting) waiter.cancel();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '', search = ''] = (request.url ?? '').split('?', 2);
    const query = new URLSearchParams(search);
    const [version, area, ...rest] = path.slice(1).split('/').map(decode);
    const body = await readBody(request);
    if (body === null) return reply(response, 413, 'Request body too large');
    if (version !== 'v1') return reply(response, 404, 'Not found');
    const route = `${request.method} ${area}`;
    if (route === 'GET catalog' || route === 'GET health') {
      return this.#answerRead(area as 'catalog' | 'health', rest, query, response);
    }
    if (route === 'GET status' && rest[0] === 'leader') return reply(response, 200, LEADER);
    if (route === 'GET agent') return this.#answerAgentRead(rest, response);
    if (route === 'PUT agent') return this.#answerAgentWrite(rest, query, body, response);
    reply(response, 404, 'Not found: the development registry serves a subset of the HTTP API');
  }

  #answerAgentRead([kind, id = '']: string[], response: ServerResponse): void {
    if (kind === 'self') {
      return reply(response, 200, {
        Config: { Datacenter: 'dc1', NodeName: NODE.Node, NodeID: NODE.ID, Server: true, Version },
        Member: { Name: NODE.Node, Addr: NODE.Address },
        Meta: {},
      });
    }
    if (kind === 'services') {
      const all = [...this.#services].map(([key, it]) => [key, agentService(it)] as const);
      return reply(response, 200, Object.fromEntries(all));
    }
    if (kind === 'checks') {
      const all = [...this.#services.values()].flatMap((it) =>
        [...it.checks.values()].map((check) => [
          check.id,
          checkEntry(check, it.service, 'ttl', it),
        ]),
      );
      return reply(response, 200, Object.fromEntries(all));
    }
    const found = kind === 'service' ? this.#services.get(id) : undefined;
    if (found === undefined) return reply(response, 404, `unknown service ID: ${id}`);
    reply(response, 200, agentService(found));
  }

  #answerAgentWrite(
    [kind, verb, id = '']: string[],
    query: URLSearchParams,
    body: string,
    response: ServerResponse,
  ): void {
    let refusal: Refusal | null;
    if (kind === 'service' && verb === 'register') {
      refusal = this.#register(body, query.has('replace-existing-checks'));
    } else if (kind === 'service' && verb === 'deregister') {
      refusal = this.#deregister(id);
    } else if (kind === 'service' && verb === 'maintenance') {
      refusal = this.#maintain(id, query.get('enable') === 'true', query.get('reason') ?? '');
    } else if (kind === 'check' && verb !== undefined) {
      refusal = this.#beat(verb, id, query.get('note') ?? '', body);
    } else {
      refusal = { status: 404, message: 'Not found' };
    }
    if (refusal === null) return reply(response, 200, null);
    reply(response, refusal.status, refusal.message);
  }

  #register(body: string, replaceChecks: boolean): Refusal | null {
    const wanted = parseRegistration(body);
    if ('status' in wanted) return wanted;
    const known = this.#services.get(wanted.service.ID);
    // A check that was registered before keeps its state, so a repeated registration wakes nobody.
    for (const check of wanted.checks.values()) {
      const before = known?.checks.get(check.id);
      if (before === undefined) continue;
      Object.assign(check, { status: before.status, output: before.output, since: before.since });
    }
    for (const check of known?.checks.values() ?? []) {
      if (!replaceChecks && !wanted.checks.has(check.id)) wanted.checks.set(check.id, check);
    }
    if (known !== undefined && sameRegistration(known, wanted)) {
      for (const check of known.checks.values()) check.beatAt = Date.now();
      return null;
    }
    this.#services.set(wanted.service.ID, wanted);
    if (known !== undefined && known.service.Service !== wanted.service.Service)
      this.#changed(known);
    wanted.createIndex = known?.createIndex ?? this.#index + 1;
    this.#changed(wanted);
    return null;
  }

  #deregister(id: string): Refusal | null {
    const found = this.#services.get(id);
    if (found === undefined) return { status: 404, message: `Unknown service ID ${quote(id)}` };
    this.#services.delete(id);
    this.#changed(found);
    return null;
  }

  #maintain(id: string, enable: boolean, reason: string): Refusal | null {
    const found = this.#services.get(id);
    if (found === undefined) return { status: 404, message: `Unknown service ID ${quote(id)}` };
    const checkId = `${MAINTENANCE}${id}`;
    if (enable === found.checks.has(checkId)) return null;
    if (enable) {
      const check = newCheck(checkId, 'Service Maintenance Mode', 0, 'critical');
      check.output = reason;
      found.checks.set(checkId, check);
    } else {
      found.checks.delete(checkId);
    }
    this.#changed(found);
    return null;
  }

  #beat(verb: string, checkId: string, note: string, body: string): Refusal | null {
    const owner = [...this.#services.values()].find((it) => it.checks.has(checkId));
    const check = owner?.checks.get(checkId);
    if (owner === undefined || check === undefined || check.ttlMs === 0) {
      return {
        status: 404,
        message: `Unknown check ID ${quote(checkId)}. CheckID does not have associated TTL`,
      };
    }
    let status = STATUS_OF_VERB.get(verb);
    let output = note;
    if (verb === 'update') {
      const update = parseObject(body);
      status = STATUSES.find((it) => it === text(update?.['Status']));
      output = text(update?.['Output']);
    }
    if (status === undefined)
      return { status: 400, message: `Invalid check update ${quote(verb)}` };
    check.beatAt = Date.now();
    this.#setStatus(owner, check, status, output);
    return null;
  }

  #setStatus(owner: Registration, check: Check, status: Status, output: string): void {
    check.output = output;
    if (check.status === status) return;
    check.status = status;
    check.since = Date.now();
    this.#changed(owner);
  }

  #expireChecks(now: number): void {
    for (const owner of this.#services.values()) {
      for (const check of owner.checks.values()) {
        if (check.ttlMs > 0 && now - check.beatAt > check.ttlMs) {
          this.#setStatus(owner, check, 'critical', 'TTL expired');
        }
        const dead =
          check.status === 'critical' && check.reapMs > 0 && now - check.since > check.reapMs;
        if (dead) this.#deregister(owner.service.ID);
      }
    }
  }

  #changed(registration: Registration): void {
    this.#index += 1;
    registration.modifyIndex = this.#index;
    this.#indexes.set(registration.service.Service, this.#index);
    for (const waiter of this.#waiting) waiter.recheck();
  }

  #answerRead(
    area: 'catalog' | 'health',
    [kind, name = '']: string[],
    query: URLSearchParams,
    response: ServerResponse,
  ): void {
    const byService = kind === 'service' && name !== '';
    const whole = area === 'catalog' && (kind === 'services' || kind === 'nodes');
    if (!byService && !whole) return reply(response, 404, 'Not found');
    const filter = query.get('filter') ?? '';
    // 500 is what Consul 1.8 answers to a filter it cannot read; callers fall back to the whole list.
    if (filter !== '')
      return reply(response, 500, 'filter is not supported by the development registry');
    const after = Number(query.get('index') ?? '0');
    const waitMs = parseDuration(query.get('wait') ?? '5m');
    if (!Number.isSafeInteger(after) || after < 0) return reply(response, 400, 'Invalid index');
    if (waitMs === null) return reply(response, 400, 'Invalid wait time');

    const indexNow = () => (byService ? (this.#indexes.get(name) ?? this.#index) : this.#index);
    const send = () => {
      response.setHeader('x-consul-index', String(indexNow()));
      response.setHeader('x-consul-knownleader', 'true');
      response.setHeader('x-consul-lastcontact', '0');
      response.setHeader('x-consul-effective-consistency', 'leader');
      if (kind === 'nodes') return reply(response, 200, [NODE]);
      if (kind === 'services') return reply(response, 200, this.#serviceNames());
      reply(response, 200, this.#instances(area, name, query));
    };
    if (after === 0 || indexNow() > after) return send();
    this.#block(response, Math.min(waitMs, MAX_WAIT_MS), () => indexNow() > after, send);
  }

  #block(response: ServerResponse, waitMs: number, due: () => boolean, send: () => void): void {
    const cancel = () => {
      clearTimeout(timer);
      this.#waiting.delete(waiter);
    };
    const finish = () => {
      cancel();
      send();
    };
    const waiter: Waiter = { recheck: () => due() && finish(), cancel };
    const timer = setTimeout(finish, waitMs + Math.random() * (waitMs / 16));
    this.#waiting.add(waiter);
    response.once('close', cancel);
  }

  #serviceNames(): Record<string, string[]> {
    const tags = new Map<string, Set<string>>([['consul', new Set()]]);
    for (const { service } of this.#services.values()) {
      const known = tags.get(service.Service) ?? new Set();
      for (const tag of service.Tags) known.add(tag);
      tags.set(service.Service, known);
    }
    return Object.fromEntries([...tags].map(([name, set]) => [name, [...set]]));
  }

  #instances(area: 'catalog' | 'health', name: string, query: URLSearchParams): unknown[] {
    // Consul lists its own servers; that it does proves to callers that they may read.
    if (name === 'consul') return [area === 'health' ? healthEntry(SERVER) : catalogEntry(SERVER)];
    const tags = query.getAll('tag');
    const passingOnly = query.has('passing') && query.get('passing') !== 'false';
    const found = [...this.#services.values()].filter(
      (it) =>
        it.service.Service === name &&
        tags.every((tag) => it.service.Tags.includes(tag)) &&
        (!passingOnly || [...it.checks.values()].every((check) => check.status === 'passing')),
    );
    return found.map(area === 'health' ? healthEntry : catalogEntry);
  }
}

const Version = '1.8.7-development';
const NODE = {
  ID: '0e000000-0000-4000-8000-000000000001',
  Node: 'development',
  Address: '127.0.0.1',
  Datacenter: 'dc1',
  TaggedAddresses: { lan: '127.0.0.1', wan: '127.0.0.1' },
  Meta: {},
  CreateIndex: 1,
  ModifyIndex: 1,
};
const LEADER = '127.0.0.1:8300';
const MAINTENANCE = '_service_maintenance:';
/** How often expired checks are looked for. */
const SWEEP_MS = 250;
/** Consul's own upper bound for `wait`. */
const MAX_WAIT_MS = 600_000;
/** Consul raises anything lower to this. */
const MIN_REAP_MS = 60_000;
const MAX_BODY_BYTES = 1024 * 1024;

type Status = 'passing' | 'warning' | 'critical';
const STATUSES: readonly Status[] = ['passing', 'warning', 'critical'];
const STATUS_OF_VERB = new Map<string, Status>([
  ['pass', 'passing'],
  ['warn', 'warning'],
  ['fail', 'critical'],
]);

interface Refusal {
  readonly status: number;
  readonly message: string;
}

interface Waiter {
  recheck(): void;
  cancel(): void;
}

/** Keys as Consul writes them. */
interface Service {
  readonly ID: string;
  readonly Service: string;
  readonly Tags: readonly string[];
  readonly Meta: Readonly<Record<string, string>>;
  readonly Address: string;
  readonly Port: number;
  readonly Weights: { readonly Passing: number; readonly Warning: number };
  readonly EnableTagOverride: boolean;
}

interface Check {
  readonly id: string;
  readonly name: string;
  /** 0 for a check without one, which nobody can update. */
  readonly ttlMs: number;
  /** Time in critical after which the service is removed; 0 for never. */
  readonly reapMs: number;
  status: Status;
  output: string;
  /** Moments of the last heartbeat and of the last change of status, epoch milliseconds. */
  beatAt: number;
  since: number;
}

interface Registration {
  readonly service: Service;
  readonly checks: Map<string, Check>;
  createIndex: number;
  modifyIndex: number;
}

const SERVER: Registration = {
  service: {
    ID: 'consul',
    Service: 'consul',
    Tags: [],
    Meta: { version: Version },
    Address: '',
    Port: 8300,
    Weights: { Passing: 1, Warning: 1 },
    EnableTagOverride: false,
  },
  checks: new Map(),
  createIndex: 1,
  modifyIndex: 1,
};

function parseRegistration(body: string): Registration | Refusal {
  const fields = parseObject(body);
  if (fields === null) return { status: 400, message: 'Request decode failed: expected an object' };
  const unknown = Object.keys(fields).find((key) => !REGISTRATION_KEYS.has(key.toLowerCase()));
  if (unknown !== undefined) {
    return { status: 400, message: `Request decode failed: json: unknown field ${quote(unknown)}` };
  }
  const name = text(fields['Name']);
  if (name === '') return { status: 400, message: 'Missing service name' };
  const id = text(fields['ID']) || name;
  const port = fields['Port'] ?? 0;
  if (typeof port !== 'number') return { status: 400, message: 'Port: expected a number' };
  const weights = object(fields['Weights']);
  const checks = new Map<string, Check>();
  const listed = Array.isArray(fields['Checks']) ? (fields['Checks'] as unknown[]) : [];
  for (const [position, entry] of [fields['Check'], ...listed].entries()) {
    if (entry === undefined || entry === null) continue;
    const check = parseCheck(object(entry), id, position);
    if ('message' in check) return check;
    checks.set(check.id, check);
  }
  return {
    service: {
      ID: id,
      Service: name,
      Tags: Array.isArray(fields['Tags']) ? fields['Tags'].map(text) : [],
      Meta: Object.fromEntries(
        Object.entries(object(fields['Meta'])).map(([k, v]) => [k, text(v)]),
      ),
      Address: text(fields['Address']),
      Port: port,
      Weights: { Passing: count(weights['Passing']), Warning: count(weights['Warning']) },
      EnableTagOverride: fields['EnableTagOverride'] === true,
    },
    checks,
    createIndex: 0,
    modifyIndex: 0,
  };
}

const REGISTRATION_KEYS = new Set(
  [
    'ID',
    'Name',
    'Tags',
    'Meta',
    'Address',
    'Port',
    'Weights',
    'EnableTagOverride',
    'Check',
    'Checks',
  ].map((key) => key.toLowerCase()),
);

function parseCheck(
  fields: Record<string, unknown>,
  serviceId: string,
  position: number,
): Check | Refusal {
  const ttlMs = parseDuration(text(fields['TTL']));
  if (ttlMs === null || ttlMs === 0) {
    return { status: 400, message: 'The development registry runs TTL checks only' };
  }
  const reap = text(fields['DeregisterCriticalServiceAfter']);
  const reapMs = reap === '' ? 0 : parseDuration(reap);
  if (reapMs === null) return { status: 400, message: `Invalid duration ${quote(reap)}` };
  const id = text(fields['CheckID']) || `service:${serviceId}:${position}`;
  const status = STATUSES.find((it) => it === text(fields['Status'])) ?? 'critical';
  const name = text(fields['Name']) || `Service '${serviceId}' check`;
  return newCheck(id, name, ttlMs, status, reapMs === 0 ? 0 : Math.max(reapMs, MIN_REAP_MS));
}

function newCheck(id: string, name: string, ttlMs: number, status: Status, reapMs = 0): Check {
  const now = Date.now();
  return { id, name, ttlMs, reapMs, status, output: '', beatAt: now, since: now };
}

function sameRegistration(a: Registration, b: Registration): boolean {
  const shape = (it: Registration) =>
    JSON.stringify([
      it.service,
      [...it.checks.values()].map((c) => [c.id, c.name, c.ttlMs, c.reapMs]),
    ]);
  return shape(a) === shape(b);
}

function agentService({ service, createIndex, modifyIndex }: Registration): unknown {
  return { ...service, CreateIndex: createIndex, ModifyIndex: modifyIndex };
}

function healthEntry(registration: Registration): unknown {
  const { service, checks, createIndex, modifyIndex } = registration;
  const serf = {
    id: 'serfHealth',
    name: 'Serf Health Status',
    status: 'passing',
    output: 'Agent alive',
  };
  const own = [...checks.values()].map((check) => checkEntry(check, service, 'ttl', registration));
  return {
    Node: NODE,
    Service: {
      ...service,
      TaggedAddresses: null,
      Proxy: {},
      Connect: {},
      CreateIndex: createIndex,
      ModifyIndex: modifyIndex,
    },
    Checks: [checkEntry(serf, null, '', SERVER), ...own],
  };
}

function checkEntry(
  check: { id: string; name: string; status: string; output: string },
  service: Service | null,
  type: string,
  indexes: { readonly createIndex: number; readonly modifyIndex: number },
): unknown {
  return {
    Node: NODE.Node,
    CheckID: check.id,
    Name: check.name,
    Status: check.status,
    Notes: '',
    Output: check.output,
    ServiceID: service?.ID ?? '',
    ServiceName: service?.Service ?? '',
    ServiceTags: service?.Tags ?? [],
    Type: type,
    Definition: {},
    CreateIndex: indexes.createIndex,
    ModifyIndex: indexes.modifyIndex,
  };
}

function catalogEntry({ service, createIndex, modifyIndex }: Registration): unknown {
  const { Meta, CreateIndex: _created, ModifyIndex: _modified, ...node } = NODE;
  return {
    ...node,
    NodeMeta: Meta,
    ServiceKind: '',
    ServiceID: service.ID,
    ServiceName: service.Service,
    ServiceTags: service.Tags,
    ServiceAddress: service.Address,
    ServiceTaggedAddresses: null,
    ServiceWeights: service.Weights,
    ServiceMeta: service.Meta,
    ServicePort: service.Port,
    ServiceEnableTagOverride: service.EnableTagOverride,
    ServiceProxy: {},
    ServiceConnect: {},
    CreateIndex: createIndex,
    ModifyIndex: modifyIndex,
  };
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed) return;
  if (status !== 200) {
    response.writeHead(status, { 'content-type': 'text/plain' }).end(String(body));
    return;
  }
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(body === null ? '' : JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<string | null> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of request as AsyncIterable<Buffer>) {
      size += piece.length;
      if (size > MAX_BODY_BYTES) return null;
      pieces.push(piece);
    }
  } catch {
    return ''; // the caller went away; the answer goes nowhere
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** Go's duration syntax with one or more of `h`, `m`, `s`, `ms`. Milliseconds, or null. */
function parseDuration(duration: string): number | null {
  if (duration === '' || duration.length > 32 || !/^(\d+(\.\d+)?(ms|h|m|s))+$/.test(duration))
    return null;
  let total = 0;
  for (const [, value, , unit] of duration.matchAll(/(\d+(\.\d+)?)(ms|h|m|s)/g)) {
    total +=
      Number(value) * (unit === 'ms' ? 1 : unit === 's' ? 1000 : unit === 'm' ? 60_000 : 3_600_000);
  }
  return total;
}

function parseObject(body: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(body);
    return value !== null && typeof value === 'object' && !Array.isArray(value)
      ? object(value)
      : null;
  } catch {
    return null;
  }
}

function object(value: unknown): Record<string, unknown> {
  return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function count(value: unknown): number {
  return typeof value === 'number' && value >= 0 ? value : 1;
}

function quote(value: string): string {
  return JSON.stringify(value);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
