import type { Config, Upstream } from './schema.ts';

/** What a new configuration changes, and what of it a running sidecar takes over. */
export interface ReloadPlan {
  /** The new configuration with the running values of the keys that need a restart. */
  readonly config: Config;
  /** Dotted keys whose values differ; upstreams and routes by name. */
  readonly changed: readonly string[];
  /** Those of them that need a restart, and therefore keep their running values. */
  readonly restart: readonly string[];
}

/** Compares a configuration in force with the one that is to follow it. Pure. */
export function planReload(current: Config, next: Config): ReloadPlan {
  const config = keepBound(current, next);
  const changed = differences(flatten(current), flatten(next));
  return { config, changed, restart: differences(flatten(config), flatten(next)) };
}

/**
 * What is bound, opened or connected once, when the sidecar starts: the name and registration, the
 * registry, every port, telemetry, and the limits that accepted connections were given.
 */
function keepBound(current: Config, next: Config): Config {
  const { host, port, appPort } = current.inbound;
  const proxy = current.forwardProxy;
  return {
    ...next,
    service: current.service,
    consul: current.consul,
    admin: current.admin,
    http: current.http,
    trace: current.trace,
    metrics: current.metrics,
    accessLog: current.accessLog,
    inbound: { ...next.inbound, host, port, appPort },
    forwardProxy: {
      ...next.forwardProxy,
      enabled: proxy.enabled,
      host: proxy.host,
      port: proxy.port,
    },
    upstreams: next.upstreams.map((upstream) => keepPort(upstream, current.upstreams)),
  };
}

/** A port of an upstream opens at the start; one that is added later is reached by its name. */
function keepPort(upstream: Upstream, running: readonly Upstream[]): Upstream {
  const before = running.find((candidate) => candidate.name === upstream.name);
  return { ...upstream, host: before?.host ?? upstream.host, port: before?.port ?? null };
}

function differences(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((key) => before.get(key) !== after.get(key))
    .toSorted();
}

/** Dotted key → value as text. Members of lists go by their name, else by their number. */
function flatten(config: Config): Map<string, string> {
  const flat = new Map<string, string>();
  visit(config, '', flat);
  return flat;
}

function visit(value: unknown, key: string, flat: Map<string, string>): void {
  if (typeof value !== 'object' || value === null) {
    flat.set(key, JSON.stringify(value) ?? '');
    return;
  }
  for (const [part, inner] of Object.entries(value)) {
    const name = Array.isArray(value) ? `[${nameOf(inner, part)}]` : key === '' ? part : `.${part}`;
    visit(inner, `${key}${name}`, flat);
  }
}

function nameOf(item: unknown, index: string): string {
  const name: unknown = (item as { name?: unknown } | null)?.name;
  return typeof name === 'string' ? name : index;
}
