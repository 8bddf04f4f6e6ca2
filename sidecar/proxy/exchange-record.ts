import type { RequestRecord, RequestTrace } from '../../telemetry/record.ts';
import type { RequestCells } from '../../telemetry/request-cells.ts';
import type { RequestHead } from '../message/head.ts';
import type { Route } from '../route/route.ts';
import type { Entry, Snapshot } from '../snapshot.ts';
import type { Attempt } from './attempt.ts';
import type { RequestBody } from './request-body.ts';
import type { Scope } from './scope.ts';

const NO_ATTEMPTS: readonly Attempt[] = [];

/** What an exchange leaves behind: facts of its start, and what the pipeline notes on the way. */
export class ExchangeRecord implements RequestRecord {
  readonly #scope: Scope;
  readonly #entry: Entry;
  readonly #route: Route | null;
  readonly #head: RequestHead;
  readonly #body: RequestBody;

  readonly trace: RequestTrace;
  readonly startMs: number;
  readonly startWallMs: number;
  readonly generation: number;
  readonly localZone: string;
  readonly requestId: string;
  /** The id that we gave; null where the request brought its own. */
  readonly ownRequestId: string | null;
  attempts: readonly Attempt[] = NO_ATTEMPTS;
  endMs = 0;
  headMs = 0;
  answeredMs = 0;
  queueMs = 0;
  status = 0;
  code: string | null = null;
  flags = '';
  detail = '';
  fix = '';
  bytesOut = 0;

  constructor(
    scope: Scope,
    snapshot: Snapshot,
    entry: Entry,
    route: Route | null,
    head: RequestHead,
    body: RequestBody,
  ) {
    this.#scope = scope;
    this.#entry = entry;
    this.#route = route;
    this.#head = head;
    this.#body = body;
    this.startMs = scope.clock.now();
    this.startWallMs = scope.clock.wallTime(this.startMs);
    this.generation = snapshot.generation;
    this.localZone = snapshot.zone;
    const untraced = route?.untraced === true;
    this.trace = scope.propagation.begin(head.headers, untraced, entry.trustIncoming);
    const given = head.headers.get('x-request-id');
    this.ownRequestId = given === null ? scope.requestIds.next(this.startWallMs) : null;
    this.requestId = given ?? (this.ownRequestId as string);
  }

  /** Takes note of one more attempt. Nearly always it is the only one. */
  addAttempt(attempt: Attempt): void {
    this.attempts = this.attempts.length === 0 ? [attempt] : [...this.attempts, attempt];
  }

  get cells(): RequestCells {
    return this.#route === null ? this.#entry.unrouted : this.#route.cells;
  }
  get direction(): 'inbound' | 'outbound' {
    return this.#entry.direction;
  }
  get method(): string {
    return this.#head.method;
  }
  get scheme(): string {
    return this.#head.scheme;
  }
  get authority(): string {
    return this.#head.authority;
  }
  get path(): string {
    return this.#head.path;
  }
  get version(): string {
    return this.#head.version;
  }
  get service(): string {
    return this.#route === null ? '' : this.#route.service;
  }
  get route(): string {
    return this.#route === null ? '' : this.#route.name;
  }
  get template(): string | null {
    return this.#route === null ? null : this.#route.template;
  }
  get policy(): string {
    const route = this.#route;
    return route === null || route.direction === 'inbound' ? '' : route.cluster.policy;
  }
  get bytesIn(): number {
    return this.#body.received;
  }
  get peerAddress(): string {
    return this.#scope.peer.address;
  }
  get peerPort(): number {
    return this.#scope.peer.port;
  }
  get userAgent(): string | null {
    return this.#head.headers.get('user-agent');
  }
}
