import { Resolver } from 'node:dns';
import { isIP } from 'node:net';
import type { Clock } from '../../telemetry/clock.ts';
import { Failure } from '../failure.ts';

/** A name's addresses are used for its TTL, within these bounds. */
const MIN_TTL_MS = 1000;
const MAX_TTL_MS = 30_000;

/**
 * The addresses behind the host of an endpoint, one per call in turn. Names are asked from DNS with c-ares
 * (`getaddrinfo` would block the thread pool), as they are written: neither search domains nor the hosts
 * file apply; `localhost` is loopback (RFC 6761 §6.3). When DNS fails, the last addresses stay in use.
 */
export class HostName {
  readonly #name: string;
  readonly #clock: Clock;
  /** Null for an address: nothing to resolve. */
  readonly #resolver: Resolver | null;
  #addresses: readonly string[] = [];
  #freshUntilMs = 0;
  #next = 0;
  #waiting: Array<(result: string | Failure) => void> = [];

  /** `servers`: name servers as `address:port`; the system's when empty. */
  constructor(name: string, clock: Clock, timeoutMs: number, servers: readonly string[] = []) {
    this.#name = name;
    this.#clock = clock;
    if (name === 'localhost' || isIP(name) !== 0) {
      this.#addresses = [name === 'localhost' ? '127.0.0.1' : name];
      this.#freshUntilMs = Number.POSITIVE_INFINITY;
      this.#resolver = null;
      return;
    }
    const timeout = Math.max(1, Math.ceil(timeoutMs / 2));
    this.#resolver = new Resolver({ timeout, tries: 2 });
    if (servers.length > 0) this.#resolver.setServers(servers);
  }

  /** An address that is known now, or null: then `resolve` has to be asked. */
  known(): string | null {
    if (this.#addresses.length === 0 || this.#clock.now() >= this.#freshUntilMs) return null;
    return this.#take();
  }

  /** Calls back later with an address or a `dns_failure`. Calls during a query share its answer. */
  resolve(answer: (result: string | Failure) => void): void {
    const resolver = this.#resolver;
    if (resolver === null) {
      queueMicrotask(() => answer(this.#take()));
      return;
    }
    if (this.#waiting.push(answer) > 1) return;
    resolver.resolve4(this.#name, { ttl: true }, (error, records) => {
      if (error === null) this.#answered(records);
      else resolver.resolve6(this.#name, { ttl: true }, (_, six) => this.#answered(six, error));
    });
  }

  #answered(
    records: ReadonlyArray<{ address: string; ttl: number }> | undefined,
    error: NodeJS.ErrnoException | null = null,
  ): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (records !== undefined && records.length > 0) {
      this.#addresses = records.map((record) => record.address);
      const ttlMs = Math.min(...records.map((record) => record.ttl)) * 1000;
      this.#freshUntilMs = this.#clock.now() + Math.min(MAX_TTL_MS, Math.max(MIN_TTL_MS, ttlMs));
    } else if (this.#addresses.length > 0) {
      this.#freshUntilMs = this.#clock.now() + MIN_TTL_MS;
    }
    const errno = error?.code ?? 'ENODATA';
    const failure = new Failure('dns_failure', `${this.#name} does not resolve`, {
      name: this.#name,
      errno,
    });
    for (const answer of waiting) answer(this.#addresses.length > 0 ? this.#take() : failure);
  }

  #take(): string {
    this.#next = (this.#next + 1) % this.#addresses.length;
    return this.#addresses[this.#next] as string;
  }
}
