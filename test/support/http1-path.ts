import { freePorts } from '../../sidecar/up/ports.ts';
import { RecordingOrigin } from './recording-origin.ts';
import { SidecarProcess } from './sidecar-process.ts';

/** Name of the upstream, and the Host that reaches it through every door. */
export const HOST = 'localhost';

export type Door = 'outbound' | 'forward proxy' | 'inbound';
export const doors: readonly Door[] = ['outbound', 'forward proxy', 'inbound'];

/** One sidecar process in front of one recording origin, entered by any of its three kinds of port. */
export class Http1Path {
  readonly sidecar: SidecarProcess;
  readonly origin: RecordingOrigin;
  readonly #ports: ReadonlyMap<Door, number>;

  private constructor(
    sidecar: SidecarProcess,
    origin: RecordingOrigin,
    ports: ReadonlyMap<Door, number>,
  ) {
    this.sidecar = sidecar;
    this.origin = origin;
    this.#ports = ports;
  }

  /** Retries and ejections are off: what one attempt does is what is looked at. */
  static async start(): Promise<Http1Path> {
    const origin = await RecordingOrigin.start();
    const [outbound, proxy, inbound] = (await freePorts(3)) as [number, number, number];
    const sidecar = await SidecarProcess.start({
      service: { name: 'caller' },
      consul: { enabled: false },
      retries: { max: 0 },
      outliers: { consecutive5xx: 0, consecutiveGateway: 0, consecutiveLocalOrigin: 0 },
      inbound: { host: '127.0.0.1', port: inbound, appPort: origin.port },
      forwardProxy: { enabled: true, port: proxy },
      upstreams: [
        {
          service: HOST,
          port: outbound,
          resolver: 'static',
          endpoints: [`127.0.0.1:${origin.port}`],
        },
      ],
    });
    return new Http1Path(
      sidecar,
      origin,
      new Map<Door, number>([
        ['outbound', outbound],
        ['forward proxy', proxy],
        ['inbound', inbound],
      ]),
    );
  }

  port(door: Door): number {
    return this.#ports.get(door) as number;
  }

  async stop(): Promise<void> {
    await this.sidecar.dispose();
    this.origin.stop();
  }
}
