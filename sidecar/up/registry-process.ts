import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fetchText } from './admin-client.ts';
import { type Command, childCommand, cleanEnvironment } from './launch.ts';

export type RegistryKind = 'consul' | 'embedded';
export type RegistryChoice = RegistryKind | 'auto';

/** The `consul` of the search path, or null. */
export function findConsul(searchPath: string): string | null {
  for (const directory of searchPath.split(delimiter)) {
    if (directory === '') continue;
    const candidate = join(directory, 'consul');
    try {
      accessSync(candidate, constants.X_OK);
      if (statSync(candidate).isFile()) return candidate;
    } catch {
      // not there, not ours to run: the next one
    }
  }
  return null;
}

/**
 * How the registry is started on the given ports (HTTP, server RPC, LAN and WAN gossip): a real
 * Consul in development mode, with `consul` its path, or the embedded one for null.
 */
export function registryCommand(
  consul: string | null,
  ports: readonly [number, number, number, number],
): Command {
  const [http, server, lan, wan] = ports;
  if (consul === null) return childCommand({ role: 'registry', port: http });
  return {
    file: consul,
    args: [
      'agent',
      '-dev',
      '-node=outrigger-up',
      '-bind=127.0.0.1',
      '-client=127.0.0.1',
      '-dns-port=-1',
      '-grpc-port=-1',
      `-http-port=${http}`,
      `-server-port=${server}`,
      `-serf-lan-port=${lan}`,
      `-serf-wan-port=${wan}`,
      '-hcl=disable_update_check = true limits { http_max_conns_per_client = 500 }',
    ],
    env: cleanEnvironment(process.env),
  };
}

/** True when the registry has a leader and lists its own node: earlier answers may be empty. */
export async function registryReady(port: number): Promise<boolean> {
  const leader = await fetchText(undefined, port, '/v1/status/leader');
  if (leader?.status !== 200 || leader.body.trim() === '""') return false;
  const nodes = await fetchText(undefined, port, '/v1/catalog/nodes');
  return nodes?.status === 200 && nodes.body.trim() !== '[]';
}
