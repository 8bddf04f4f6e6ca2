import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { until } from './until.ts';

/** A TCP peer that does exactly what a test says: it notes what arrives and answers nothing by itself. */
export class RawPeer {
  readonly socket: Socket;
  /** Lengths of the pieces in which it arrived; one `read` each. */
  readonly pieces: number[] = [];
  receivedBytes = 0;
  #chunks: Buffer[] = [];
  ended = false;
  closed = false;
  error: NodeJS.ErrnoException | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error;
    });
    socket.on('data', (bytes) => {
      this.pieces.push(bytes.length);
      this.receivedBytes += bytes.length;
      this.#chunks.push(bytes);
    });
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static async dial(port: number, localAddress = '127.0.0.1'): Promise<RawPeer> {
    const socket = connect({ host: '127.0.0.1', port, localAddress, allowHalfOpen: true });
    const peer = new RawPeer(socket);
    await once(socket, 'connect');
    return peer;
  }

  get received(): Buffer {
    this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] as Buffer;
  }

  get text(): string {
    return this.received.toString('latin1');
  }

  send(bytes: string | Buffer): void {
    this.socket.write(bytes, 'latin1');
  }

  /** Waits until at least that much has arrived. */
  async has(bytes: number): Promise<void> {
    await until(
      () => this.receivedBytes >= bytes,
      3000,
      () => `expected ${bytes} bytes, got ${this.receivedBytes}`,
    );
  }

  async gone(): Promise<void> {
    await until(
      () => this.closed,
      3000,
      () => 'the connection stays open',
    );
  }
}

/** A listener on a free loopback port whose connections are raw peers. */
export class RawListener {
  readonly port: number;
  readonly peers: RawPeer[] = [];
  readonly #server: Server;

  private constructor(server: Server, onPeer: ((peer: RawPeer) => void) | null) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket: Socket) => {
      const peer = new RawPeer(socket);
      this.peers.push(peer);
      onPeer?.(peer);
    });
  }

  /** `onPeer` is called for every connection, before anything has arrived. */
  static async open(onPeer: ((peer: RawPeer) => void) | null = null): Promise<RawListener> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new RawListener(server, onPeer);
  }

  /** Waits until that many connections were accepted, and returns the last of them. */
  async accepted(count: number): Promise<RawPeer> {
    await until(
      () => this.peers.length >= count,
      3000,
      () => `expected ${count} connections, got ${this.peers.length}`,
    );
    return this.peers[count - 1] as RawPeer;
  }

  close(): void {
    for (const peer of this.peers) peer.socket.destroy();
    this.#server.close();
  }
}
