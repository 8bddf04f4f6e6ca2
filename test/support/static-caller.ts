import type { ClustersView, ClusterView } from '../../sidecar/admin/views.ts';
import { freePorts } from '../../sidecar/up/ports.ts';
import { descriptors } from './process-facts.ts';
import { SidecarProcess } from './sidecar-process.ts';
import { until } from './until.ts';

/** A sidecar process whose one local port leads to fixed addresses; no registry is involved. */
export class StaticCaller {
  readonly sidecar: SidecarProcess;
  /** Local port of the upstream. */
  readonly port: number;

  private constructor(sidecar: SidecarProcess, port: number) {
    this.sidecar = sidecar;
    this.port = port;
  }

  /** `endpoints`: ports of 127.0.0.1, or whole addresses. `upstream` and `config` add or replace keys. */
  static async start(
    endpoints: readonly (number | string)[],
    upstream: Readonly<Record<string, unknown>> = {},
    config: Readonly<Record<string, unknown>> = {},
    options: { openFiles?: number } = {},
  ): Promise<StaticCaller> {
    const [port] = (await freePorts(1)) as [number];
    const whole = callerConfig(port, endpoints, upstream, config);
    const sidecar = await SidecarProcess.start(whole, options);
    return new StaticCaller(sidecar, port);
  }

  /** The upstream's cluster at the admin API. */
  async cluster(): Promise<ClusterView> {
    const view = await this.sidecar.json<ClustersView>('/clusters');
    const cluster = view.clusters.find(({ name }) => name === 'orders');
    if (cluster === undefined) throw new Error('the admin API does not list the upstream');
    return cluster;
  }

  /** Descriptors of the process, those of idle upstream connections left out. */
  async descriptorsInUse(): Promise<number> {
    const { endpoints } = await this.cluster();
    const idle = endpoints.reduce((sum, { connections }) => sum + connections.idle, 0);
    return descriptors(this.sidecar.pid) - idle;
  }

  /** Waits until no request is under way any more. */
  async quiet(): Promise<void> {
    await until(
      async () => {
        const { inFlight, endpoints } = await this.cluster();
        return inFlight === 0 && endpoints.every(({ active }) => active === 0);
      },
      5000,
      () => 'requests are still counted as being under way',
    );
  }

  dispose(): Promise<void> {
    return this.sidecar.dispose();
  }
}

/** Configuration of a sidecar whose upstream `orders` has fixed endpoints. */
export function callerConfig(
  port: number,
  endpoints: readonly (number | string)[],
  upstream: Readonly<Record<string, unknown>> = {},
  config: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    service: { name: 'caller' },
    consul: { enabled: false },
    ...config,
    upstreams: [
      {
        service: 'orders',
        port,
        resolver: 'static',
        endpoints: endpoints.map((at) => (typeof at === 'number' ? `127.0.0.1:${at}` : at)),
        ...upstream,
      },
    ],
  };
}
