import type { Clock } from '../telemetry/clock.ts';
import type { Log } from '../telemetry/log.ts';
import { Backoff } from './backoff.ts';
import type { DnsLookup, DnsTarget } from './dns-lookup.ts';
import { reuseUnchanged } from './endpoint-list.ts';
import { pause } from './pause.ts';
import type { ResolverStatus } from './resolver.ts';
import { Subscribers } from './subscribers.ts';
import type { OnUpdate } from './update-result.ts';

export interface DnsWatchParts {
  readonly service: string;
  /** Null when the configuration has no name for the service. */
  readonly target: DnsTarget | null;
  readonly lookup: DnsLookup;
  readonly options: { readonly minTtlMs: number; readonly maxTtlMs: number };
  readonly clock: Clock;
  readonly log: Log;
  readonly onUpdate: OnUpdate;
}

/** One service in DNS, for all who follow it. A failed lookup changes nothing but the status. */
export class DnsWatch {
  readonly subscribers: Subscribers;
  readonly #parts: DnsWatchParts;
  readonly #stop = new AbortController();
  readonly #backoff: Backoff;
  readonly #running: Promise<void>;
  #confirmedAtMs: number | null = null;
  #lastError: string | null = null;

  constructor(parts: DnsWatchParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.clock);
    this.subscribers = new Subscribers(parts.service, parts.clock, parts.log);
    this.#running = this.#run();
  }

  status(): ResolverStatus {
    return {
      service: this.#parts.service,
      source: 'dns',
      ageMs: this.#confirmedAtMs === null ? null : this.#parts.clock.now() - this.#confirmedAtMs,
      fromSnapshot: false,
      quarantine: null,
      lastError: this.#lastError,
    };
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.subscribers.stop();
    this.#parts.lookup.cancel();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { service, target, lookup, clock } = this.#parts;
    const { signal } = this.#stop;
    if (target === null) {
      this.#fail(new Error(`no dns name is given for the service ${JSON.stringify(service)}`));
      return;
    }
    while (!signal.aborted) {
      const answer = await lookup.ask(target);
      if (signal.aborted) return;
      if (!answer.ok) {
        this.#fail(answer.error);
        await pause(clock, this.#backoff.next(), signal);
        continue;
      }
      this.#backoff.reset();
      this.#recovered();
      this.#confirmedAtMs = clock.now();
      const known = this.subscribers.list;
      const next = reuseUnchanged(known ?? [], answer.endpoints);
      this.#parts.onUpdate(service, next === known ? 'unchanged' : 'applied');
      this.subscribers.publish(next);
      await pause(clock, this.#nextInMs(answer.ttlMs), signal);
    }
  }

  /** Up to a tenth later than the records say, so that sidecars do not ask in step. */
  #nextInMs(ttlMs: number): number {
    const { options, clock } = this.#parts;
    const boundedMs = Math.min(options.maxTtlMs, Math.max(options.minTtlMs, ttlMs));
    return boundedMs * (1 + 0.1 * clock.random());
  }

  #fail(error: Error): void {
    const { service, log, onUpdate } = this.#parts;
    if (this.#lastError === null) {
      log.warn({ service, reason: error.message }, 'a dns lookup fails, the last addresses stay');
    }
    this.#lastError = error.message;
    onUpdate(service, 'failed');
    this.subscribers.fail(error);
  }

  #recovered(): void {
    if (this.#lastError === null) return;
    this.#lastError = null;
    this.#parts.log.info({ service: this.#parts.service }, 'dns answers again');
  }
}
