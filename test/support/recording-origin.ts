import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { readRequest, UNFINISHED, type WireMessage } from './one-reading.ts';

/** What an origin does with the request for a path: at once when its head is there, or when it is whole. */
export interface OriginScript {
  readonly at: 'head' | 'end';
  run(connection: OriginConnection, request: WireMessage | null): void;
}

const PATIENCE_MS = 5000;

/** One connection to an origin: notes every byte, reads requests strictly, answers each with what it asked for. */
export class OriginConnection {
  readonly socket: Socket;
  readonly #origin: RecordingOrigin;
  /** All that arrived, as latin-1. */
  text = '';
  #read = 0;
  #begun = false;
  /** Answers nothing by itself from now on. */
  silent = false;
  ending: 'open' | 'fin' | 'reset' = 'open';
  closed = false;

  constructor(origin: RecordingOrigin, socket: Socket) {
    this.#origin = origin;
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => {
      this.text += bytes.toString('latin1');
      this.#look();
      origin.wake();
    });
    socket.on('end', () => {
      // A reset that is seen together with the last bytes is reported as an end.
      this.ending = socket.remoteAddress === undefined ? 'reset' : 'fin';
      origin.wake();
      // As most servers do: a peer that ends is not waited for.
      if (!this.silent) socket.end();
    });
    socket.on('error', () => {
      this.ending = 'reset';
    });
    socket.on('close', () => {
      this.closed = true;
      origin.wake();
    });
  }

  /** The other side has ended it. */
  get over(): boolean {
    return this.closed || this.ending !== 'open';
  }

  /** What arrived behind the last whole request. */
  get rest(): string {
    return this.text.slice(this.#read);
  }

  send(bytes: string): void {
    if (!this.socket.destroyed) this.socket.write(bytes, 'latin1');
  }

  /** Sends and then ends, resets or keeps the connection. */
  finish(bytes: string, ending: 'keep' | 'fin' | 'reset'): void {
    this.silent = ending !== 'keep';
    if (ending === 'fin') this.socket.end(bytes, 'latin1');
    else if (ending === 'keep') this.send(bytes);
    else if (bytes === '') this.socket.resetAndDestroy();
    else this.socket.write(bytes, 'latin1', () => this.socket.resetAndDestroy());
  }

  #look(): void {
    try {
      while (!this.silent && this.#next());
    } catch (error) {
      this.silent = true;
      this.#origin.problems.push(`${String(error)} in ${JSON.stringify(this.rest.slice(0, 400))}`);
    }
  }

  /** Takes one step; false when more bytes are needed. */
  #next(): boolean {
    const rest = this.rest;
    if (rest === '') return false;
    const target = rest.split(' ', 2)[1] ?? '';
    const script = this.#origin.scripts.get(target);
    const headOver = rest.includes('\r\n\r\n');
    if (script?.at === 'head' && headOver && !this.#begun) {
      this.#begun = true;
      script.run(this, null);
    }
    const message = readRequest(this.text, this.#read);
    if (message === UNFINISHED) return false;
    this.#read = message.end;
    this.#origin.requests.push(message);
    if (script === undefined) this.send(answerTo(message));
    else if (script.at === 'end') script.run(this, message);
    this.#begun = false;
    return true;
  }
}

/** A raw HTTP/1.1 server on loopback that notes every byte it is sent and can answer anything. */
export class RecordingOrigin {
  readonly port: number;
  readonly #server: Server;
  readonly scripts = new Map<string, OriginScript>();
  connections: OriginConnection[] = [];
  /** Whole requests in the order of their coming. */
  requests: WireMessage[] = [];
  /** What arrived and has more than one reading. */
  problems: string[] = [];
  readonly #waiting = new Set<() => void>();

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket: Socket) => {
      this.connections.push(new OriginConnection(this, socket));
    });
  }

  static async start(): Promise<RecordingOrigin> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new RecordingOrigin(server);
  }

  stop(): void {
    for (const { socket } of this.connections) socket.destroy();
    this.#server.close();
  }

  /** Resolves as soon as the condition holds; looked at whenever something happens here. */
  when(condition: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new Error(`${what}: did not happen at the origin`));
      }, PATIENCE_MS);
      this.#waiting.add(look);
      look();
    });
  }

  wake(): void {
    for (const look of this.#waiting) look();
  }
}

/** The answer that names its request, so that one which goes astray is noticed. */
export function answerTo(request: WireMessage): string {
  const [method = '', target = ''] = request.start.split(' ');
  const body = `${method} ${target} ${request.body.length} ${request.body.slice(0, 64)}`;
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${method === 'HEAD' ? '' : body}`;
}
