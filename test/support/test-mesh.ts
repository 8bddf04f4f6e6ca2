import { freePorts } from '../../sidecar/up/ports.ts';
import { App, asksFirst } from './app.ts';
import type { ConsulAgent } from './consul-agent.ts';
import { SidecarProcess } from './sidecar-process.ts';

/** An application with its sidecar in front, both alive. */
export interface Instance {
  readonly app: App;
  readonly sidecar: SidecarProcess;
}

/** Real sidecars around small applications, all on one Consul; everything ends with `dispose`. */
export class TestMesh {
  readonly #consul: ConsulAgent;
  readonly #apps: App[] = [];
  readonly #sidecars: SidecarProcess[] = [];

  constructor(consul: ConsulAgent) {
    this.#consul = consul;
  }

  /** One instance of a service, registered under its own id; with `calls` it asks that service before it answers. */
  async instance(
    service: string,
    id: string,
    calls: string | null = null,
    extra: Readonly<Record<string, unknown>> = {},
  ): Promise<Instance> {
    const [port, upstreamPort] = (await freePorts(2)) as [number, number];
    const app = await (calls === null ? App.start(id) : App.start(id, asksFirst(upstreamPort)));
    this.#apps.push(app);
    const sidecar = await this.#start({
      service: { name: service, id, address: '127.0.0.1' },
      inbound: { host: '127.0.0.1', port, appPort: app.port },
      drain: { delayMs: 300, timeoutMs: 2000 },
      ...(calls === null ? {} : { upstreams: [{ service: calls, port: upstreamPort }] }),
      ...extra,
    });
    return { app, sidecar };
  }

  /** A sidecar that only calls; `port` leads to `upstream`. */
  async caller(
    upstream: string,
    extra: Readonly<Record<string, unknown>> = {},
  ): Promise<{ sidecar: SidecarProcess; port: number; url: string }> {
    const [port] = (await freePorts(1)) as [number];
    const sidecar = await this.#start({
      service: { name: 'caller' },
      upstreams: [{ service: upstream, port }],
      ...extra,
    });
    return { sidecar, port, url: `http://127.0.0.1:${port}/` };
  }

  async #start(config: Readonly<Record<string, unknown>>): Promise<SidecarProcess> {
    const sidecar = await SidecarProcess.start({
      ...config,
      consul: {
        address: this.#consul.address,
        checkTtlMs: 6000,
        ...(config['consul'] as Record<string, unknown> | undefined),
      },
    });
    this.#sidecars.push(sidecar);
    return sidecar;
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#sidecars.map((sidecar) => sidecar.dispose()));
    await Promise.all(this.#apps.map((app) => app.stop()));
  }
}
