import type { Clock, Timer } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { Debounce } from '../debounce.ts';
import { reuseUnchanged } from '../endpoint-list.ts';
import type { LastGood, LastGoodState } from '../last-good.ts';
import { Quarantine } from '../quarantine.ts';
import type { EndpointSpec, ResolverStatus } from '../resolver.ts';
import { SnapshotWriter } from '../snapshot-writer.ts';
import { Subscribers } from '../subscribers.ts';
import type { OnUpdate } from '../update-result.ts';
import { BlockingQuery, type QueryFailure, type QueryReply } from './blocking-query.ts';
import { readHealth } from './catalog.ts';
import type { ConsulOptions } from './options.ts';
import type { OutageLog } from './outage-log.ts';
import { canReadServices } from './self-test.ts';
import { type ConsulTransport, consulPath } from './transport.ts';

/** What all watches of one resolver share. */
export interface WatchParts {
  readonly options: ConsulOptions;
  readonly transport: ConsulTransport;
  readonly clock: Clock;
  readonly log: Log;
  readonly outages: OutageLog;
  readonly lastGood: LastGood | null;
  readonly onUpdate: OnUpdate;
}

/** One service in Consul, for all who follow it: one query, one quarantine, one saved list. */
export class ServiceWatch {
  readonly service: string;
  readonly subscribers: Subscribers;
  readonly query: BlockingQuery;
  readonly #parts: WatchParts;
  readonly #stop = new AbortController();
  readonly #quarantine: Quarantine;
  readonly #debounce: Debounce<readonly EndpointSpec[]>;
  readonly #writer: SnapshotWriter | null;
  readonly #running: Promise<void>;
  #listed: readonly EndpointSpec[] | null = null;
  #inForce: readonly EndpointSpec[] | null = null;
  #snapshot: LastGoodState | null = null;
  #snapshotTimer: Timer | null = null;
  #recheck: Timer | null = null;
  /** Monotonic; null until Consul has confirmed the list in force. */
  #confirmedAtMs: number | null = null;
  /** Wall time at which the saved list in force was written; null when it came from Consul. */
  #savedAtMs: number | null = null;
  #lastError: string | null = null;
  #lastReported: QueryFailure['kind'] | null = null;

  constructor(service: string, parts: WatchParts) {
    const { options, transport, clock, log, lastGood } = parts;
    this.service = service;
    this.#parts = parts;
    this.subscribers = new Subscribers(service, clock, log);
    this.#quarantine = new Quarantine(options.quarantine);
    this.#debounce = new Debounce(clock, options.debounceMs, (list) =>
      this.subscribers.publish(list),
    );
    this.#writer = lastGood === null ? null : new SnapshotWriter(lastGood, service, clock);
    this.query = new BlockingQuery({
      request: (request) => transport.request(request),
      path: consulPath`/v1/health/service/${service}`,
      query: {},
      clock,
      signal: this.#stop.signal,
      apply: (reply) => this.#apply(reply),
      failed: (failure) => this.#failed(failure),
      cached: options.cached,
      waitMs: options.waitMs,
      pollMs: options.pollMs,
    });
    this.#running = this.#run();
  }

  status(): ResolverStatus {
    return {
      service: this.service,
      source: 'consul',
      ageMs: this.#ageMs(),
      fromSnapshot: this.#savedAtMs !== null,
      quarantine: this.#quarantine.reason,
      lastError: this.#lastError,
    };
  }

  /** Ends the query and saves what is not saved yet. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#snapshotTimer?.cancel();
    this.#recheck?.cancel();
    this.#debounce.stop();
    this.subscribers.stop();
    this.#parts.outages.forget(this.service);
    await this.#running;
    this.#save();
    await this.#writer?.flush();
  }

  async #run(): Promise<void> {
    const { lastGood, clock, options } = this.#parts;
    const saved = lastGood === null ? null : await lastGood.read(this.service);
    if (this.#stop.signal.aborted) return;
    if (saved !== null) {
      this.#quarantine.restore(saved.endpoints, saved.index);
      this.#snapshot = saved;
      this.#snapshotTimer = clock.schedule(options.snapshotAfterMs, () => this.#useSnapshot());
    }
    await this.query.run();
  }

  async #apply(reply: QueryReply): Promise<string | null> {
    const listed = reply.changed || this.#listed === null ? this.#read(reply.body) : this.#listed;
    if (typeof listed === 'string') return listed;
    const emptyIsTrusted = listed.length > 0 || (await this.#trustsEmpty(reply));
    if (this.#stop.signal.aborted) return null;
    this.#listed = listed;
    this.#dropSnapshot();
    this.#lastError = null;
    this.#lastReported = null;
    const { clock, onUpdate, outages } = this.#parts;
    const before = this.#quarantine.reason;
    const believed = this.#quarantine.observe({
      endpoints: listed,
      index: reply.index,
      emptyIsTrusted,
      nowMs: clock.now(),
    });
    const isNew = this.#putInForce(believed);
    const held = this.#quarantine.reason;
    this.#savedAtMs = null;
    this.#reportHold(before, held);
    this.#scheduleRecheck();
    if (held === null) {
      this.#confirmedAtMs = clock.now();
      if (isNew || before !== null) this.#save();
    }
    outages.answered(this.service);
    onUpdate(this.service, held !== null ? 'quarantined' : isNew ? 'applied' : 'unchanged');
    return null;
  }

  #read(body: Buffer): readonly EndpointSpec[] | string {
    let answer: unknown;
    try {
      answer = JSON.parse(body.toString());
    } catch {
      return 'consul sent a body that is not JSON';
    }
    const catalog = readHealth(answer, this.#parts.options);
    if (!catalog.ok) return `consul sent an unexpected body: ${catalog.problem}`;
    if (catalog.skipped.length > 0) {
      this.#parts.log.warn(
        { service: this.service, count: catalog.skipped.length, first: catalog.skipped[0] },
        'leaving out instances that cannot be dialled',
      );
    }
    return catalog.endpoints;
  }

  /** An empty list counts only from servers with a leader, and with a token that can read services. */
  async #trustsEmpty(reply: QueryReply): Promise<boolean> {
    if (!reply.knownLeader) return false;
    // Nothing can be lost where nothing is in service.
    const inService = this.#inForce ?? this.#snapshot?.endpoints ?? [];
    if (inService.length === 0) return true;
    return canReadServices(this.#parts.transport, this.#stop.signal);
  }

  /** True when that was news. */
  #putInForce(endpoints: Iterable<EndpointSpec>): boolean {
    const next = reuseUnchanged(this.#inForce ?? [], endpoints);
    const isNew = next !== this.#inForce;
    this.#inForce = next;
    this.#debounce.offer(next);
    return isNew;
  }

  #failed(failure: QueryFailure): void {
    const { outages, log, onUpdate } = this.#parts;
    this.#quarantine.interrupted();
    this.#recheck?.cancel();
    this.#lastError = failure.error.message;
    if (failure.kind === 'unavailable') {
      outages.failed(this.service, failure.error);
    } else {
      outages.answered(this.service);
      if (this.#lastReported !== failure.kind) {
        log.error({ service: this.service, reason: failure.error.message }, meaning[failure.kind]);
      }
      this.#lastReported = failure.kind;
    }
    onUpdate(this.service, 'failed');
    this.#useSnapshot();
    this.subscribers.fail(failure.error);
  }

  #useSnapshot(): void {
    const snapshot = this.#snapshot;
    if (snapshot === null || this.#inForce !== null) return;
    this.#dropSnapshot();
    this.#savedAtMs = snapshot.savedAtMs;
    this.#parts.log.warn(
      { service: this.service, endpoints: snapshot.endpoints.length, ageMs: this.#ageMs() },
      'starting with saved endpoints, consul has not answered yet',
    );
    this.#putInForce(snapshot.endpoints);
  }

  #dropSnapshot(): void {
    this.#snapshot = null;
    this.#snapshotTimer?.cancel();
    this.#snapshotTimer = null;
  }

  #ageMs(): number | null {
    const { clock } = this.#parts;
    if (this.#savedAtMs !== null) return Math.max(0, clock.wallTime() - this.#savedAtMs);
    return this.#confirmedAtMs === null ? null : clock.now() - this.#confirmedAtMs;
  }

  #reportHold(before: string | null, held: string | null): void {
    const { log } = this.#parts;
    if (before === null && held !== null) {
      log.warn({ service: this.service, reason: held }, 'a registry update is held in quarantine');
    } else if (before !== null && held === null) {
      log.info({ service: this.service, endpoints: this.#inForce?.length }, 'quarantine is over');
    }
  }

  #scheduleRecheck(): void {
    const { clock } = this.#parts;
    this.#recheck?.cancel();
    const inMs = this.#quarantine.recheckInMs(clock.now());
    if (inMs !== null) this.#recheck = clock.schedule(inMs, () => this.query.refresh());
  }

  /** Saves what Consul confirmed, never what is held or came from the disk itself. */
  #save(): void {
    if (this.#inForce === null || this.#confirmedAtMs === null) return;
    if (this.#quarantine.reason !== null) return;
    const { clock } = this.#parts;
    this.#writer?.offer({
      index: this.#quarantine.goodIndex,
      savedAtMs: clock.wallTime() - (clock.now() - this.#confirmedAtMs),
      endpoints: this.#inForce,
    });
  }
}

const meaning: Readonly<Record<Exclude<QueryFailure['kind'], 'unavailable'>, string>> = {
  denied: 'the consul token was refused, the last known endpoints stay in use',
  rejected: 'consul rejects the query, which needs a change of configuration',
  unusable: 'consul sent an answer that cannot be used, the last known endpoints stay in use',
};
