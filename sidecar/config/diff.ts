import type { Config } from './schema.ts';

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
 * What is opened or connected once, when the sidecar starts: what is registered, the registry, the
 * admin API, telemetry, and the limits that codecs were built with.
 */
function keepBound(current: Config, next: Config): Config {
  const { host, port, appPort } = current.inbound;
  return {
    ...next,
    service: current.service,
    consul: current.consul,
    admin: current.admin,
    http: current.http,
    trace: current.trace,
    metrics: current.metrics,
    accessLog: current.accessLog,
    log: current.log,
    inbound: { ...next.inbound, host, port, appPort },
  };
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
