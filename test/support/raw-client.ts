import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { readResponse, statusOf, UNFINISHED, type WireMessage } from './one-reading.ts';

const PATIENCE_MS = 5000;

/** A downstream peer over a real socket that sends what it is told, byte for byte, and waits without sleeping. */
export class RawClient {
  readonly #socket: Socket;
  readonly #waiting = new Set<() => void>();
  #text = '';
  #read = 0;
  #half = false;
  /** How the other side ended the connection so far. */
  ending: 'open' | 'fin' | 'reset' = 'open';
  closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => {
      this.#text += bytes.toString('latin1');
      this.#wake();
    });
    socket.on('end', () => {
      // A reset that is seen together with the last bytes is reported as an end; behind our own end none matters.
      const reset = !this.#half && socket.remoteAddress === undefined;
      this.ending = reset ? 'reset' : 'fin';
      this.#wake();
    });
    socket.on('error', () => {
      this.ending = 'reset';
    });
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  static async dial(port: number): Promise<RawClient> {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** All that came, as latin-1. */
  get text(): string {
    return this.#text;
  }

  /** What came and was not read as a response. */
  get rest(): string {
    return this.#text.slice(this.#read);
  }

  get over(): boolean {
    return this.ending !== 'open' || this.closed;
  }

  send(bytes: string): this {
    if (!this.#socket.destroyed) this.#socket.write(bytes, 'latin1');
    return this;
  }

  /** Every byte as a segment of its own, with a turn of the event loop behind each `every` bytes. */
  async drip(bytes: string, every = 1): Promise<void> {
    for (let at = 0; at < bytes.length; at += every) {
      this.send(bytes.slice(at, at + every));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  half(): this {
    this.#half = true;
    this.#socket.end();
    return this;
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }

  hangUp(): void {
    this.#socket.destroy();
  }

  /** Resolves as soon as the condition holds; looked at whenever something happens. */
  when(condition: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        try {
          if (!condition()) return;
          resolve();
        } catch (error) {
          reject(error as Error);
        }
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        const got = JSON.stringify(this.#text.slice(0, 600));
        reject(new Error(`${what}: did not happen; ${this.ending}, got ${got}`));
      }, PATIENCE_MS);
      this.#waiting.add(look);
      look();
    });
  }

  /** The next response, interim ones included, or null when the connection ended before it was whole. */
  async response(method = 'GET'): Promise<WireMessage | null> {
    let message: WireMessage | typeof UNFINISHED = UNFINISHED;
    await this.when(() => {
      message = readResponse(this.#text, this.#read, method, this.ending === 'fin');
      return message !== UNFINISHED || this.over;
    }, `a response to ${method}`);
    if (message === UNFINISHED) return null;
    this.#read = (message as WireMessage).end;
    return message;
  }

  /** The next final response. */
  async answer(method = 'GET'): Promise<WireMessage | null> {
    for (;;) {
      const response = await this.response(method);
      if (response === null || statusOf(response) >= 200) return response;
    }
  }

  /** Resolves when the other side has ended the connection; leaves nothing open. */
  async ended(): Promise<'fin' | 'reset'> {
    await this.when(() => this.over, 'the end of the connection');
    const { ending } = this;
    this.#socket.destroy();
    return ending === 'fin' ? 'fin' : 'reset';
  }

  #wake(): void {
    for (const look of this.#waiting) look();
  }
}
