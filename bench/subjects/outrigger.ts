import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../sidecar/up/ports.ts';
import { startServer } from './server-process.ts';
import type { Subject } from './subject.ts';

const main = fileURLToPath(new URL('../../dist/sidecar/main.js', import.meta.url));

/**
 * The sidecar as it is shipped, with its defaults: one request in ten traced and exported to a collector that drops the
 * spans, metrics and outlier detection and retries on. Only the access log differs between the cases.
 */
export const outrigger: Subject = {
  name: 'outrigger',
  start: async (setup) => {
    if (!existsSync(main)) return null;
    const [port = 0, admin = 0] = await freePorts(2);
    const file = join(setup.folder, 'outrigger.json');
    const configuration = {
      service: { name: 'bench' },
      consul: { enabled: false },
      forwardProxy: { enabled: false },
      admin: { port: admin },
      upstreams: [
        {
          service: 'backend',
          port,
          resolver: 'static',
          endpoints: [`127.0.0.1:${setup.backendPort}`],
        },
      ],
      accessLog: { filter: setup.accessLog ? 'all' : 'none' },
      trace: { otlp: { endpoint: `http://127.0.0.1:${setup.otlpPort}/v1/traces` } },
      drain: { delayMs: 0 },
    };
    writeFileSync(file, JSON.stringify(configuration));
    const server = await startServer(
      process.execPath,
      [main, 'run', '-c', file],
      setup.folder,
      `http://127.0.0.1:${admin}/readyz`,
    );
    return { port, process: server };
  },
};
