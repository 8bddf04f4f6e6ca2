import Consul from 'consul';
import type { ConsulTransport } from './transport.ts';

/** Done, or why not: the status and text of an answer that says no, or null and an error without one. */
export type CallOutcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly status: number | null; readonly error: Error };

/** Writes are kept by the agent and synced later: with no leader one takes 9.4 s and succeeds. */
const WRITE_TIMEOUT_MS = 15_000;
const READ_TIMEOUT_MS = 10_000;

/**
 * One-shot calls through the npm client, with the sockets, the token and the deadlines of ours. Blocking
 * queries and registrations are not here: the package drops fields and mishandles indexes.
 */
export class ConsulClient {
  readonly #transport: ConsulTransport;
  readonly #consul: Consul;

  constructor(transport: ConsulTransport) {
    this.#transport = transport;
    const { address, tls, partition, namespace } = transport.access;
    const options = {
      host: address.kind === 'unix' ? 'localhost' : bracketed(address.host),
      ...(address.kind === 'tcp' ? { port: address.port } : {}),
      secure: tls !== null,
      agent: transport.calls,
      // The package has no namespace option; Consul takes the header instead of the parameter.
      headers: namespace === null ? {} : { 'x-consul-namespace': namespace },
      ...(partition === null ? {} : { defaults: { partition } }),
    };
    this.#consul = new Consul(options);
  }

  /** Marks a TTL check as passing. 500 or 404: the agent does not know the check. */
  pass(checkId: string, timeoutMs: number): Promise<CallOutcome<unknown>> {
    return this.#call(timeoutMs, (common) =>
      this.#consul.agent.check.pass({ id: checkId, ...common }),
    );
  }

  /** Marks a TTL check as critical, with a note for people. Errors as with `pass`. */
  fail(checkId: string, note: string, timeoutMs: number): Promise<CallOutcome<unknown>> {
    return this.#call(timeoutMs, (common) =>
      this.#consul.agent.check.fail({ id: checkId, note, ...common }),
    );
  }

  maintenance(serviceId: string, enable: boolean, reason: string): Promise<CallOutcome<unknown>> {
    return this.#call(WRITE_TIMEOUT_MS, (common) =>
      this.#consul.agent.service.maintenance({ id: serviceId, enable, reason, ...common }),
    );
  }

  deregister(serviceId: string): Promise<CallOutcome<unknown>> {
    return this.#call(WRITE_TIMEOUT_MS, (common) =>
      this.#consul.agent.service.deregister({ id: serviceId, ...common }),
    );
  }

  /** The checks this agent runs, by id. */
  checks(): Promise<CallOutcome<Record<string, unknown>>> {
    return this.#call<Record<string, unknown>>(READ_TIMEOUT_MS, (common) =>
      this.#consul.agent.checks(common),
    );
  }

  /** The agent's own configuration; needs `agent:read`. */
  self(): Promise<CallOutcome<unknown>> {
    return this.#call<unknown>(READ_TIMEOUT_MS, (common) => this.#consul.agent.self(common));
  }

  async #call<T>(
    timeoutMs: number,
    call: (common: { timeout: number; token?: string }) => Promise<T>,
  ): Promise<CallOutcome<T>> {
    const { token } = this.#transport.access;
    const used = await token.current();
    const first = await this.#once(timeoutMs, used, call);
    if (first.ok || first.status !== 403 || !(await token.renewed(used))) return first;
    return this.#once(timeoutMs, await token.current(), call);
  }

  async #once<T>(
    timeoutMs: number,
    token: string | null,
    call: (common: { timeout: number; token?: string }) => Promise<T>,
  ): Promise<CallOutcome<T>> {
    try {
      const value = await call({ timeout: timeoutMs, ...(token === null ? {} : { token }) });
      return { ok: true, value };
    } catch (error) {
      return { ok: false, status: statusOf(error), error: error as Error };
    }
  }
}

function statusOf(error: unknown): number | null {
  const found = error as { readonly statusCode?: unknown };
  return typeof found.statusCode === 'number' ? found.statusCode : null;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
