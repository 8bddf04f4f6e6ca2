import { Resolver as DnsClient } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { EndpointSpec } from './resolver.ts';

/** A name and how to read it. Names are taken as fully qualified: search domains are not tried. */
export type DnsTarget =
  | {
      readonly kind: 'address';
      readonly name: string;
      readonly port: number;
      readonly family: 'ipv4' | 'ipv6' | 'any';
    }
  /** `_http._tcp.web.example`: ports and weights come from the records. */
  | { readonly kind: 'srv'; readonly name: string };

export type DnsAnswer =
  | {
      readonly ok: true;
      readonly endpoints: readonly EndpointSpec[];
      /** Shortest time to live of the records; infinite when none has one. */
      readonly ttlMs: number;
    }
  | { readonly ok: false; readonly error: Error };

interface Addresses {
  readonly list: readonly string[];
  readonly ttlMs: number;
}

/** One lookup of a target, however many questions it takes. */
interface Round {
  readonly found: Map<string, Addresses>;
  answered: number;
  /** The last question that was filled from the last time. */
  error: Error | null;
}

/** SRV answers carry no time to live in Node 20, so the names behind a service are asked for this often. */
const SRV_TTL_MS = 10_000;

/**
 * Looks a target up, through c-ares and not through `getaddrinfo`, which would block the thread pool.
 * Part of an answer that fails, one family or one host behind an SRV record, is filled from the last
 * time, so that a flaky server drops nobody; what is answered as absent is absent.
 */
export class DnsLookup {
  readonly #client: DnsClient;
  #known = new Map<string, Addresses>();

  constructor(servers: readonly string[] | null, timeoutMs: number) {
    this.#client = new DnsClient({ timeout: timeoutMs, tries: 2 });
    if (servers !== null) this.#client.setServers(servers);
  }

  async ask(target: DnsTarget): Promise<DnsAnswer> {
    const round: Round = { found: new Map(), answered: 0, error: null };
    try {
      const answer =
        target.kind === 'srv'
          ? await this.#askService(target.name, round)
          : await this.#askName(target, round);
      // Nothing but old addresses is an outage, not an answer.
      if (round.error !== null && round.answered === 0) return { ok: false, error: round.error };
      if (answer.endpoints.length === 0) return failed(`no address behind ${target.name}`);
      this.#known = round.found;
      return answer;
    } catch (error) {
      return { ok: false, error: error as Error };
    }
  }

  /** Ends lookups that still run. */
  cancel(): void {
    this.#client.cancel();
  }

  async #askName(
    target: Extract<DnsTarget, { kind: 'address' }>,
    round: Round,
  ): Promise<Extract<DnsAnswer, { ok: true }>> {
    const { list, ttlMs } = await this.#addresses(target.name, target.family, round);
    return { ok: true, endpoints: list.map((ip) => endpoint(ip, target.port, 1)), ttlMs };
  }

  /** The records of the best priority only: the others are spares (RFC 2782). */
  async #askService(name: string, round: Round): Promise<Extract<DnsAnswer, { ok: true }>> {
    const records = await this.#client.resolveSrv(name);
    round.answered++;
    const best = Math.min(...records.map((record) => record.priority));
    const chosen = records.filter((record) => record.priority === best && record.port > 0);
    const hosts = await Promise.all(
      chosen.map((record) => this.#addresses(record.name, 'any', round)),
    );
    const endpoints = chosen.flatMap((record, i) =>
      // Weight 0 means "rarely", not "never".
      (hosts[i]?.list ?? []).map((ip) => endpoint(ip, record.port, Math.max(1, record.weight))),
    );
    return {
      ok: true,
      endpoints,
      ttlMs: Math.min(SRV_TTL_MS, ...hosts.map((host) => host.ttlMs)),
    };
  }

  async #addresses(
    name: string,
    family: 'ipv4' | 'ipv6' | 'any',
    round: Round,
  ): Promise<Addresses> {
    if (isIP(name) !== 0) return { list: [name], ttlMs: Number.POSITIVE_INFINITY };
    const asked = await Promise.allSettled([
      family === 'ipv6' ? none : this.#records(name, 'A', round),
      family === 'ipv4' ? none : this.#records(name, 'AAAA', round),
    ]);
    const answers = asked.filter((one) => one.status === 'fulfilled').map((one) => one.value);
    const failure = asked.find((one) => one.status === 'rejected');
    const empty = answers.every(({ list }) => list.length === 0);
    if (failure !== undefined && empty) throw failure.reason;
    return {
      list: answers.flatMap((answer) => answer.list),
      ttlMs: Math.min(...answers.map((answer) => answer.ttlMs)),
    };
  }

  async #records(name: string, type: 'A' | 'AAAA', round: Round): Promise<Addresses> {
    const key = `${type} ${name}`;
    try {
      const records =
        type === 'A'
          ? await this.#client.resolve4(name, { ttl: true })
          : await this.#client.resolve6(name, { ttl: true });
      round.answered++;
      const found = {
        list: records.map((record) => record.address),
        ttlMs: Math.min(...records.map((record) => record.ttl * 1000)),
      };
      round.found.set(key, found);
      return found;
    } catch (error) {
      if (isAbsent(error)) {
        round.answered++;
        return none;
      }
      const last = this.#known.get(key);
      if (last === undefined) throw error;
      round.found.set(key, last);
      round.error = error as Error;
      return { list: last.list, ttlMs: 0 };
    }
  }
}

const none: Addresses = { list: [], ttlMs: Number.POSITIVE_INFINITY };

/** The server knows the name or the type not to exist, as opposed to not knowing. */
function isAbsent(error: unknown): boolean {
  const code = (error as { readonly code?: unknown }).code;
  return code === 'ENODATA' || code === 'ENOTFOUND';
}

function endpoint(address: string, port: number, weight: number): EndpointSpec {
  return {
    id: address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
    address,
    port,
    weight,
    zone: '',
    region: '',
    health: 'passing',
    tags: [],
    meta: new Map(),
  };
}

function failed(message: string): DnsAnswer {
  return { ok: false, error: new Error(message) };
}
