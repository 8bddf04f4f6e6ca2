import { join } from 'node:path';
import type { MeshPlan, PlannedInstance } from './plan.ts';

/** The configuration file of one sidecar of the local mesh, as JSON, complete with its reasons below. */
export function sidecarConfig(plan: MeshPlan, it: PlannedInstance, otlpEndpoint: string | null) {
  const { app, upstreams } = it;
  return {
    service: { name: it.service, id: it.id, address: '127.0.0.1', zone: it.zone },
    ...(app === null
      ? {}
      : { inbound: { host: '127.0.0.1', port: app.inboundPort, appPort: app.port } }),
    upstreams,
    // Everything shares this machine: when it stalls, many requests are under way at a kill, and all
    // of them fail at once before anybody has earned the tokens to retry them.
    retries: { maxTokens: 100, initialTokens: 100 },
    forwardProxy: { enabled: false },
    consul: {
      address: `http://127.0.0.1:${plan.registryPorts[0]}`,
      // A killed instance leaves the list, and a restarted registry hears of everybody, within seconds.
      checkTtlMs: 6000,
      snapshotDir: join(plan.directory, `${it.id}-snapshot`),
    },
    drain: { delayMs: 0, timeoutMs: 1000 },
    admin: { port: it.adminPort },
    trace: {
      ratio: 1,
      ...(otlpEndpoint === null
        ? { exporter: 'none' }
        : { exporter: 'otlp', otlp: { endpoint: otlpEndpoint }, batch: { delayMs: 1000 } }),
    },
    accessLog: { filter: 'errors' },
    log: { level: 'warn' },
  } as const;
}
