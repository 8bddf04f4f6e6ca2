import { expect } from 'chai';
import { freePorts } from '../../sidecar/up/ports.ts';
import { readRequest, UNFINISHED } from './one-reading.ts';
import { RawClient } from './raw-client.ts';
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
  /** Well-behaved clients that keep their connections through all that happens to the others. */
  readonly #bystanders = new Map<Door, RawClient>();
  #canaries = 0;

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
    const path = new Http1Path(
      sidecar,
      origin,
      new Map<Door, number>([
        ['outbound', outbound],
        ['forward proxy', proxy],
        ['inbound', inbound],
      ]),
    );
    for (const door of doors) path.#bystanders.set(door, await path.dial(door));
    return path;
  }

  port(door: Door): number {
    return this.#ports.get(door) as number;
  }

  dial(door: Door = 'outbound'): Promise<RawClient> {
    return RawClient.dial(this.port(door));
  }

  /** Start line of the last request of a bystander. */
  get canary(): string {
    return `POST /canary/${this.#canaries} HTTP/1.1`;
  }

  /** A client that did nothing wrong gets its own answer, over whatever upstream connection is idle now. */
  async othersAreServed(door: Door = 'outbound'): Promise<void> {
    let client = this.#bystanders.get(door) as RawClient;
    if (client.over) {
      // Idle for longer than connections are kept: a search that takes minutes.
      client = await this.dial(door);
      this.#bystanders.set(door, client);
    }
    this.#canaries++;
    client.send(`${this.canary}\r\nHost: ${HOST}\r\nContent-Length: 3\r\n\r\nabc`);
    const answer = await client.answer('POST');
    expect(answer?.start).to.equal('HTTP/1.1 200 OK');
    expect(answer?.body).to.equal(`POST /canary/${this.#canaries} 3 abc`);
    expect(client.rest).to.equal('');
  }

  /** Nothing is left at the origin that could be completed by what another client sends. */
  async nothingHalfSaid(): Promise<void> {
    const { origin } = this;
    expect(origin.problems).to.deep.equal([]);
    await origin.when(
      () => origin.connections.every(({ rest, over }) => rest === '' || over),
      'the end of connections with half a request',
    );
    for (const { rest } of origin.connections)
      if (rest !== '') expect(readRequest(rest, 0)).to.equal(UNFINISHED);
    origin.connections = origin.connections.filter(({ rest }) => rest === '');
    expect(origin.problems).to.deep.equal([]);
  }

  async stop(): Promise<void> {
    for (const client of this.#bystanders.values()) client.hangUp();
    await this.sidecar.dispose();
    this.origin.stop();
  }
}
