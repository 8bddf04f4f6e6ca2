import type { ConsulClient } from './client.ts';
import { type ConsulTransport, consulPath } from './transport.ts';

/** Major and minor number. */
export type ConsulVersion = readonly [number, number];

const OLDEST: ConsulVersion = [1, 8];
const TIMEOUT_MS = 10_000;

/**
 * The version whose fields a registration may use: the agent's own, else the lowest among the servers
 * (readable with a service identity), else the configured one, else 1.8.
 */
export async function detectVersion(
  transport: ConsulTransport,
  client: ConsulClient,
  configured: string | null,
): Promise<ConsulVersion> {
  const self = await client.self();
  const own = self.ok ? readVersion(fieldOf(fieldOf(self.value, 'Config'), 'Version')) : null;
  return own ?? (await lowestServer(transport)) ?? readVersion(configured) ?? OLDEST;
}

export function isAtLeast(version: ConsulVersion, major: number, minor: number): boolean {
  return version[0] > major || (version[0] === major && version[1] >= minor);
}

async function lowestServer(transport: ConsulTransport): Promise<ConsulVersion | null> {
  const outcome = await transport.request({
    method: 'GET',
    path: consulPath`/v1/catalog/service/${'consul'}`,
    timeoutMs: TIMEOUT_MS,
  });
  if (!outcome.ok || outcome.status !== 200) return null;
  let servers: unknown;
  try {
    servers = JSON.parse(outcome.body.toString());
  } catch {
    return null;
  }
  let lowest: ConsulVersion | null = null;
  for (const server of Array.isArray(servers) ? servers : []) {
    const version = readVersion(fieldOf(fieldOf(server, 'ServiceMeta'), 'version'));
    if (version === null) continue;
    if (lowest === null || !isAtLeast(version, ...lowest)) lowest = version;
  }
  return lowest;
}

function readVersion(text: unknown): ConsulVersion | null {
  const parts = typeof text === 'string' ? /^v?(\d{1,4})\.(\d{1,4})/.exec(text) : null;
  return parts === null ? null : [Number(parts[1]), Number(parts[2])];
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
