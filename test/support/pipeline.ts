import type { EndpointSpec } from '../../discovery/resolver.ts';
import { Cluster } from '../../sidecar/cluster/cluster.ts';
import type { Failure } from '../../sidecar/failure.ts';
import type { Responder } from '../../sidecar/message/exchange.ts';
import type { RequestHead } from '../../sidecar/message/head.ts';
import { HeaderList } from '../../sidecar/message/headers.ts';
import { recordRefusal } from '../../sidecar/proxy/refused-request.ts';
import type { Scope } from '../../sidecar/proxy/scope.ts';
import { serve } from '../../sidecar/proxy/serve.ts';
import { RetryPolicy } from '../../sidecar/retry/policy.ts';
import type { Route } from '../../sidecar/route/route.ts';
import { SilenceLimit } from '../../sidecar/route/silence.ts';
import { RouteTable } from '../../sidecar/route/table.ts';
import { Live, type Snapshot } from '../../sidecar/snapshot.ts';
import type { RequestRecord } from '../../telemetry/record.ts';
import { FakeClock } from './fake-clock.ts';
import { plainPropagation } from './plain-propagation.ts';
import { RecordingRequester } from './recording-requester.ts';
import { ScriptedUpstream } from './scripted-upstream.ts';
import { testCells } from './test-cells.ts';

export interface PipelineOptions {
  readonly direction?: 'inbound' | 'outbound';
  readonly endpoints?: number;
  /** The cluster waits for its first resolution until `resolve` is called. */
  readonly unresolved?: boolean;
  readonly route?: Partial<Route>;
  readonly retries?: { max?: number; on?: readonly number[]; initialTokens?: number };
  readonly maxRequests?: number;
  readonly idleTimeoutMs?: number;
  readonly trustPlaintext?: boolean;
  readonly sampled?: boolean;
  /** Meta of every endpoint in the registry. */
  readonly meta?: ReadonlyMap<string, string>;
}

/** Says how a request begins; every key has a default. */
export interface RequestOptions {
  readonly method?: string;
  readonly path?: string;
  readonly authority?: string;
  readonly fields?: readonly (readonly [string, string])[];
  readonly contentLength?: number | null;
  readonly ended?: boolean;
  readonly protocol?: string;
}

/** The real pipeline, cluster and retry policy on a fake clock, between scripted parties. */
export class Pipeline {
  readonly clock = new FakeClock();
  readonly upstreams: ScriptedUpstream[] = [];
  readonly records: RequestRecord[] = [];
  readonly cluster: Cluster;
  readonly route: Route;
  readonly #scope: Scope;
  readonly #specs: EndpointSpec[];

  constructor(options: PipelineOptions = {}) {
    const direction = options.direction ?? 'outbound';
    const retries = { max: 2, on: [502, 503, 504], baseMs: 25, maxMs: 250, ...options.retries };
    this.cluster = new Cluster(
      {
        name: 'orders',
        zone: '',
        balancing: {
          policy: 'round_robin',
          choiceCount: 2,
          activeRequestBias: 1,
          zone: 'ignore',
          minClusterSize: 6,
          panicThreshold: 0,
          slowStart: { windowMs: 0, aggression: 1 },
        },
        outliers: null,
        limits: { maxRequests: options.maxRequests ?? 1024 },
        retries: {
          perSuccess: 0.1,
          perSecond: 0,
          maxTokens: 10,
          initialTokens: options.retries?.initialTokens ?? 10,
        },
      },
      this.clock,
      (spec) => this.upstreams[spec.port - 1] as ScriptedUpstream,
    );
    this.#specs = Array.from({ length: options.endpoints ?? 3 }, (_, index) => {
      this.upstreams.push(new ScriptedUpstream());
      return { ...spec(index + 1), ...(options.meta === undefined ? {} : { meta: options.meta }) };
    });
    if (options.unresolved !== true) this.resolve();
    const cells = testCells(direction, 'orders', this.clock);
    this.route = {
      name: 'orders',
      direction,
      service: 'orders',
      cluster: this.cluster,
      timeoutMs: 0,
      perTryTimeoutMs: 0,
      silence: new SilenceLimit(options.idleTimeoutMs ?? 60_000, this.clock),
      holdStartMs: 5000,
      maxBodyBytes: Number.POSITIVE_INFINITY,
      replayBytes: 65_536,
      retries: new RetryPolicy(retries),
      template: null,
      untraced: false,
      cells,
      ...options.route,
    };
    const table = new RouteTable([{ host: null, path: '/', headers: [], route: this.route }]);
    const entry = {
      direction,
      table,
      unrouted: cells,
      trustIncoming: true,
      trustPlaintext: options.trustPlaintext ?? true,
    };
    const snapshot: Snapshot = {
      generation: 7,
      zone: 'eu-a',
      entries: new Map([['test', entry]]),
      closed: { ...entry, table: new RouteTable([]) },
    };
    this.#scope = {
      live: new Live(snapshot),
      entry: 'test',
      peer: { address: '10.0.0.9', port: 40_000, identity: null },
      clock: this.clock,
      propagation: plainPropagation(options.sampled),
      recorder: { record: (record) => this.records.push(record) },
      requestIds: { next: () => '01890000-0000-7000-8000-000000000000' },
    };
  }

  /** The registry's first answer. */
  resolve(specs: readonly EndpointSpec[] = this.#specs): void {
    this.cluster.setMembers(specs);
  }

  request(options: RequestOptions = {}): { requester: RecordingRequester; responder: Responder } {
    const requester = new RecordingRequester();
    const ended = options.ended ?? true;
    const head: RequestHead = {
      method: options.method ?? 'GET',
      scheme: 'http',
      authority: options.authority ?? 'orders',
      path: options.path ?? '/',
      version: '1.1',
      protocol: options.protocol ?? null,
      headers: HeaderList.of(options.fields ?? []),
      contentLength: options.contentLength ?? null,
      ended,
    };
    const responder = serve(this.#scope, head, requester);
    if (ended) responder.end(null);
    return { requester, responder };
  }

  /** A codec could not read a request; returns the id it is recorded under. */
  refuse(failure: Failure): string {
    return recordRefusal(this.#scope, failure);
  }

  /** The upstream that got the newest exchange still unanswered, in the order they were sent. */
  get sent(): ScriptedUpstream[] {
    return this.upstreams.filter((upstream) => upstream.exchanges.length > 0);
  }

  /** Exchanges over all upstreams. */
  get attempts(): number {
    return this.upstreams.reduce((sum, upstream) => sum + upstream.exchanges.length, 0);
  }

  /** The only upstream that has an exchange which was neither answered nor given up. */
  open(): ScriptedUpstream['exchanges'][number] {
    const last = this.records.length;
    const open = this.upstreams
      .flatMap((upstream) => upstream.exchanges)
      .filter((exchange) => !this.#seen.has(exchange));
    const [exchange] = open;
    if (exchange === undefined || open.length !== 1) {
      throw new Error(`expected one new exchange, found ${open.length} after ${last} records`);
    }
    this.#seen.add(exchange);
    return exchange;
  }

  readonly #seen = new Set<object>();
}

export function spec(port: number): EndpointSpec {
  return {
    id: `e${port}`,
    address: '127.0.0.1',
    port,
    weight: 1,
    zone: '',
    region: '',
    health: 'passing',
    tags: [],
    meta: new Map(),
  };
}
