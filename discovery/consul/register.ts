import type { Clock } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { Backoff } from '../backoff.ts';
import { pause } from '../pause.ts';
import type { ConsulClient } from './client.ts';
import { leave } from './leave.ts';
import type { Membership, MembershipStatus } from './membership.ts';
import { type RegistrationOptions, registrationBody, ttlCheckId } from './registration-body.ts';
import { isListed } from './self-test.ts';
import type { ConsulTransport } from './transport.ts';
import { type ConsulVersion, detectVersion } from './version.ts';

export interface RegistrationParts {
  readonly options: RegistrationOptions;
  readonly transport: ConsulTransport;
  readonly client: ConsulClient;
  readonly clock: Clock;
  readonly log: Log;
  /** Used where neither the agent nor the servers tell theirs: `1.14`. */
  readonly consulVersion: string | null;
  /** What keeps the application from serving, in one sentence, or null; asked before every beat. */
  readonly problem: () => Promise<string | null>;
}

const WRITE_TIMEOUT_MS = 15_000;
const MIN_BEAT_TIMEOUT_MS = 1_000;
/** An application that does not serve is looked at this often, so that its callers hear soon of its return. */
const SICK_BEAT_MS = 500;
const READ_ATTEMPTS = 10;
const READ_GAP_MS = 500;

/**
 * Our instance in Consul: registered, kept alive every third of the TTL, registered again when the
 * agent has lost it, and taken out in the order maintenance, drain (not ours), deregister. Consul being
 * away is no error to the caller: it is tried again with full jitter and logged once.
 */
export class Registration implements Membership {
  readonly #parts: RegistrationParts;
  readonly #stop = new AbortController();
  readonly #backoff: Backoff;
  readonly #refused = new Set<string>();
  #version: ConsulVersion | null = null;
  #running: Promise<void> = Promise.resolve();
  #reading: Promise<void> = Promise.resolve();
  #busy: Promise<unknown> = Promise.resolve();
  /** The agent goes on writing our entry with the token that registered it, so a new token registers anew. */
  #token: string | null = null;
  #attempted = false;
  #registered = false;
  #leaving = false;
  #canRead: boolean | null = null;
  #lastError: string | null = null;
  /** What the last beat said of the application. */
  #problem: string | null = null;

  constructor(parts: RegistrationParts) {
    const { name, id, port, weights } = parts.options;
    // Consul accepts all of these and then hands them to every caller.
    expect('name', name, /^[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?$/.test(name));
    expect('id', id, id !== '');
    expect('port', port, Number.isInteger(port) && port >= 1 && port <= 65_535);
    expect('weights.passing', weights.passing, weights.passing >= 1 && weights.passing <= 65_535);
    expect('weights.warning', weights.warning, weights.warning >= 0 && weights.warning <= 65_535);
    this.#parts = parts;
    this.#backoff = new Backoff(parts.clock);
  }

  status(): MembershipStatus {
    return {
      registered: this.#registered,
      canRead: this.#canRead,
      lastError: this.#lastError,
    };
  }

  async start(): Promise<boolean> {
    const first = await this.#attempt();
    this.#running = this.#keep();
    return first;
  }

  async maintain(reason: string): Promise<boolean> {
    this.#leaving = true;
    await this.#busy;
    if (!this.#attempted) return true;
    const { client, options } = this.#parts;
    const call = () => client.maintenance(options.id, true, reason);
    return leave('maintenance', options.id, call, this.#parts);
  }

  async deregister(): Promise<boolean> {
    this.#leaving = true;
    this.#stop.abort();
    await Promise.all([this.#busy, this.#running, this.#reading]);
    if (!this.#attempted) return true;
    const { client, options } = this.#parts;
    const call = () => client.deregister(options.id);
    const done = await leave('deregister', options.id, call, this.#parts);
    if (done) this.#registered = false;
    return done;
  }

  async #keep(): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const waitMs = this.#registered ? this.#beatMs() : this.#backoff.next();
      await pause(clock, waitMs, signal);
      if (signal.aborted) return;
      if (this.#registered) await this.#guard(this.#beat());
      if (!this.#registered && !this.#leaving) await this.#attempt();
    }
  }

  #beatMs(): number {
    const third = this.#parts.options.ttlMs / 3;
    return this.#problem === null ? third : Math.min(third, SICK_BEAT_MS);
  }

  async #attempt(): Promise<boolean> {
    return this.#guard(this.#register());
  }

  /** Leaving waits for a write under way, so that it cannot undo ours. */
  #guard<T>(work: Promise<T>): Promise<T> {
    this.#busy = work;
    return work;
  }

  async #register(): Promise<boolean> {
    const { transport, client, options, consulVersion, log } = this.#parts;
    this.#attempted = true;
    await this.#lookAtApplication();
    this.#token = await transport.access.token.current();
    // Only the place needs a newer version than the oldest one.
    const gated = options.zone !== '' && this.#version === null;
    if (gated) this.#version = await detectVersion(transport, client, consulVersion);
    for (;;) {
      const outcome = await transport.request({
        method: 'PUT',
        path: '/v1/agent/service/register',
        // A check left out of the body would stay otherwise, maintenance of an earlier run included.
        query: { 'replace-existing-checks': 'true' },
        body: registrationBody(
          options,
          this.#version ?? [1, 8],
          this.#refused,
          this.#problem === null,
        ),
        timeoutMs: WRITE_TIMEOUT_MS,
      });
      if (!outcome.ok) return this.#fail(outcome.error.message);
      if (outcome.status >= 200 && outcome.status < 300) break;
      const text = outcome.body.toString('utf8', 0, 500).trim();
      const field = outcome.status === 400 ? unknownField(text) : null;
      if (field === null || this.#refused.has(field)) {
        return this.#fail(`consul answered ${outcome.status}: ${text}`);
      }
      log.warn({ field }, 'this version of consul does not know a field, registering without it');
      this.#refused.add(field);
    }
    this.#succeed();
    // Consul keeps the state of a check it knows, and ours may have run out meanwhile.
    await this.#beat();
    return true;
  }

  #succeed(): void {
    const { log, options } = this.#parts;
    this.#registered = true;
    this.#backoff.reset();
    this.#lastError = null;
    log.info({ service: options.name, id: options.id }, 'registered in consul');
    if (this.#canRead === null) this.#reading = this.#testReading();
  }

  #fail(message: string): false {
    const { log, options } = this.#parts;
    if (this.#lastError === null) {
      log.error({ service: options.name, reason: message }, 'cannot register in consul, trying on');
    }
    this.#lastError = message;
    this.#registered = false;
    return false;
  }

  async #beat(): Promise<void> {
    const { client, options, log, transport } = this.#parts;
    if ((await transport.access.token.current()) !== this.#token && !this.#leaving) {
      this.#registered = false;
      return;
    }
    const timeoutMs = Math.max(MIN_BEAT_TIMEOUT_MS, options.ttlMs / 3);
    const problem = await this.#lookAtApplication();
    const check = ttlCheckId(options.id);
    const outcome =
      problem === null
        ? await client.pass(check, timeoutMs)
        : await client.fail(check, problem, timeoutMs);
    if (outcome.ok) {
      if (this.#lastError !== null)
        log.info({ id: options.id }, 'the heartbeat reaches consul again');
      this.#lastError = null;
      return;
    }
    if (outcome.status === 500 || outcome.status === 404) {
      this.#registered = false;
      this.#version = null;
      if (!this.#leaving) log.warn({ id: options.id }, 'the consul agent has lost us');
      return;
    }
    if (this.#lastError === null) {
      log.warn({ id: options.id, reason: outcome.error.message }, 'the heartbeat fails');
    }
    this.#lastError = outcome.error.message;
  }

  /** Says once when the application stops or begins to serve. */
  async #lookAtApplication(): Promise<string | null> {
    const { log, options, problem } = this.#parts;
    const before = this.#problem;
    this.#problem = await problem();
    if (this.#problem !== null && before === null)
      log.warn({ id: options.id, reason: this.#problem }, 'the application does not serve');
    if (this.#problem === null && before !== null)
      log.info({ id: options.id }, 'the application serves');
    return this.#problem;
  }

  /** The catalogue follows the agent within moments, so a missing instance is asked for a few times. */
  async #testReading(): Promise<void> {
    const { transport, options, clock, log } = this.#parts;
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
      await pause(clock, READ_GAP_MS, this.#stop.signal);
      if (this.#stop.signal.aborted || this.#leaving) return;
      const listed = await isListed(transport, options.name, options.id);
      if (listed === null) continue;
      this.#canRead = listed;
      if (listed) return;
    }
    if (this.#canRead !== false) return;
    log.error({ service: options.name }, 'the consul token cannot read services');
  }
}

function expect(field: string, value: unknown, holds: boolean): void {
  if (!holds) throw new Error(`registration.${field}: not acceptable: ${JSON.stringify(value)}`);
}

function unknownField(text: string): string | null {
  return /unknown field "(\w+)"/.exec(text)?.[1] ?? null;
}
