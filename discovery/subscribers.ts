import type { Clock, Timer } from '../telemetry/clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { EndpointSpec, Resolution } from './resolver.ts';

const REDELIVER_MIN_MS = 1_000;
const REDELIVER_MAX_MS = 60_000;

interface Subscriber {
  readonly onChange: (resolution: Resolution) => void;
  list: readonly EndpointSpec[] | null;
  error: Error | null;
  gone: boolean;
}

/**
 * Everyone who follows one service, and what they are to know. Tells each of them every changed
 * answer, never inside `add`; one that throws is told again later and keeps nobody else waiting.
 */
export class Subscribers {
  readonly #service: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #all = new Set<Subscriber>();
  #list: readonly EndpointSpec[] | null = null;
  #error: Error | null = null;
  #redelivery: Timer | null = null;
  #redeliverMs = REDELIVER_MIN_MS;

  constructor(service: string, clock: Clock, log: Log) {
    this.#service = service;
    this.#clock = clock;
    this.#log = log;
  }

  get size(): number {
    return this.#all.size;
  }

  /** The list in force, null before the first one. */
  get list(): readonly EndpointSpec[] | null {
    return this.#list;
  }

  /** Returns the way out; what is known already is told right after this call. */
  add(onChange: (resolution: Resolution) => void): () => void {
    // With a list at hand an error is no news to someone who comes later.
    const error = this.#list === null ? null : this.#error;
    const subscriber: Subscriber = { onChange, list: null, error, gone: false };
    this.#all.add(subscriber);
    queueMicrotask(() => this.#catchUp(subscriber));
    return () => {
      subscriber.gone = true;
      this.#all.delete(subscriber);
    };
  }

  /** Tells the list unless it is the one in force, compared by identity (`reuseUnchanged`). */
  publish(list: readonly EndpointSpec[]): void {
    this.#error = null;
    if (list === this.#list) return;
    this.#list = list;
    this.#deliver();
  }

  /** Tells the first error of an outage; the list in force stays so. */
  fail(error: Error): void {
    if (this.#error !== null) return;
    this.#error = error;
    this.#deliver();
  }

  /** Silence from now on. */
  stop(): void {
    this.#redelivery?.cancel();
    this.#redelivery = null;
    for (const subscriber of this.#all) subscriber.gone = true;
    this.#all.clear();
  }

  #deliver(): void {
    let owed = false;
    for (const subscriber of this.#all) if (!this.#catchUp(subscriber)) owed = true;
    if (!owed) this.#redeliverMs = REDELIVER_MIN_MS;
  }

  #catchUp(subscriber: Subscriber): boolean {
    try {
      const list = this.#list;
      if (!subscriber.gone && list !== null && subscriber.list !== list) {
        subscriber.onChange({ ok: true, endpoints: list });
        subscriber.list = list;
      }
      const error = this.#error;
      if (!subscriber.gone && error !== null && subscriber.error !== error) {
        subscriber.onChange({ ok: false, error });
        subscriber.error = error;
      }
      return true;
    } catch (error) {
      this.#log.error(
        { service: this.#service, err: error },
        'a listener failed on a discovery update and will be told again',
      );
      this.#redeliverLater();
      return false;
    }
  }

  #redeliverLater(): void {
    if (this.#redelivery !== null) return;
    this.#redelivery = this.#clock.schedule(this.#redeliverMs, () => {
      this.#redelivery = null;
      this.#deliver();
    });
    this.#redeliverMs = Math.min(REDELIVER_MAX_MS, this.#redeliverMs * 2);
  }
}
