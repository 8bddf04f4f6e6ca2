import type { Clusters } from './clusters.ts';
import type { Config } from './config/schema.ts';

/** What a sidecar that starts still waits for before it says it is ready; one sentence each. */
export function waitingFor(config: Config, clusters: Clusters): string[] {
  const missing: string[] = [];
  for (const { name, resolver } of config.upstreams) {
    const cluster = clusters.get(name);
    if (cluster !== null && !cluster.resolved) {
      missing.push(
        `no endpoints of ${name} yet: ${resolver} has not answered and there is no snapshot`,
      );
    }
  }
  return missing;
}
