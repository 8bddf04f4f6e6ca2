import type { OnReadOpts, Socket } from 'node:net';
import { outputs } from './flush.ts';
import { HIGH_WATER_BYTES, LOW_WATER_BYTES, Output } from './output.ts';
import { READ_BYTES, readBuffer } from './read-buffer.ts';
import type { Transport, TransportHandler } from './transport.ts';

/** `shared`: sockets read into the shared buffer; `events`: Node allocates a buffer for each read. */
export type ReadMode = 'shared' | 'events';

export interface TcpOptions {
  readonly readMode: ReadMode;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** An exception of the owner: a bug. The connection is destroyed, nothing else. */
  readonly onBug: (error: unknown) => void;
  /** Called after the owner's `closed`. */
  readonly onGone?: () => void;
}

/** Idle time after which the kernel probes the peer, milliseconds; ten probes, one a second, then ETIMEDOUT. */
const KEEP_ALIVE_DELAY_MS = 30_000;

/** Memory of the `data` event that runs now: Node made it for this read alone, so that writes may keep it. */
let fresh: ArrayBufferLike | null = null;

/**
 * A transport over a plain TCP socket. The owner calls `attach` in the turn in which it gets it, and may
 * attach another handler later. `closed` is called exactly once, also after the owner's own `destroy`.
 */
export class TcpTransport implements Transport {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #options: TcpOptions;
  readonly #socket: Socket;
  readonly #output: Output;
  readonly #shared: boolean;
  readonly #destroyNow: (error?: Error) => Socket;
  #handler: TransportHandler | null = null;
  #inRead = false;
  #paused = false;
  /** A `write` returned false and `drained` is owed. */
  #full = false;
  #ending = false;
  #peerEnded = false;
  #over = false;
  #error: NodeJS.ErrnoException | null = null;

  /** `open` makes the socket; it must hand on `onread` when it is not null. */
  constructor(open: (onread: OnReadOpts | undefined) => Socket, options: TcpOptions) {
    this.#options = options;
    this.remoteAddress = options.remoteAddress;
    this.remotePort = options.remotePort;
    this.#shared = options.readMode === 'shared';
    const socket = open(this.#shared ? this.#onread() : undefined);
    this.#socket = socket;
    this.#destroyNow = socket.destroy.bind(socket);
    socket.destroy = this.#onDestroy;
    socket.on('error', this.#onError);
    if (!this.#shared) socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
    this.#output = new Output(socket, this.#onTaken);
  }

  attach(handler: TransportHandler): void {
    this.#handler = handler;
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  /** Nothing can be sent or received any more, though `closed` may still be to come. */
  get over(): boolean {
    return this.#over;
  }

  /** The peer ended or broke the connection, rather than us. */
  get endedByPeer(): boolean {
    return this.#peerEnded || this.#error !== null;
  }

  get unsent(): number {
    return this.#output.unsent;
  }

  write(bytes: string | Buffer, owned = false): boolean {
    if (this.#over || this.#ending) return false;
    if (typeof bytes === 'string') this.#output.appendText(bytes);
    else this.#output.appendBytes(bytes, owned || bytes.buffer === fresh);
    if (this.#output.unsent <= HIGH_WATER_BYTES) return true;
    this.#full = true;
    return false;
  }

  pause(): void {
    if (this.#over || this.#paused) return;
    this.#paused = true;
    if (!this.#inRead || !this.#shared) this.#socket.pause();
  }

  resume(): void {
    if (this.#over || !this.#paused) return;
    this.#paused = false;
    if (!this.#inRead || !this.#shared) this.#socket.resume();
  }

  end(): void {
    if (this.#over || this.#ending) return;
    this.#output.flushAll();
    this.#ending = true;
    this.#socket.end();
  }

  destroy(reset = false): void {
    if (this.#over) return;
    this.#over = true;
    this.#output.discard();
    // While our FIN is on its way a reset is refused (EINVAL), and the socket would never close.
    const finished = this.#ending && this.#socket.writableLength === 0;
    if (reset && !finished) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  #onread(): OnReadOpts {
    return {
      buffer: readBuffer,
      callback: (length) => {
        this.#deliver(length === READ_BYTES ? readBuffer : readBuffer.subarray(0, length));
        return !this.#paused;
      },
    };
  }

  readonly #onData = (bytes: Buffer): void => {
    fresh = bytes.buffer;
    this.#deliver(bytes);
    fresh = null;
  };

  #deliver(bytes: Buffer): void {
    if (this.#over) return;
    this.#inRead = true;
    outputs.enter();
    try {
      this.#handler?.received(bytes);
    } catch (error) {
      this.#bug(error);
    }
    outputs.leave();
    this.#inRead = false;
  }

  readonly #onTaken = (): void => {
    if (!this.#full || this.#over || this.#output.unsent > LOW_WATER_BYTES) return;
    this.#full = false;
    outputs.enter();
    try {
      this.#handler?.drained();
    } catch (error) {
      this.#bug(error);
    }
    outputs.leave();
  };

  readonly #onEnd = (): void => {
    if (this.#over) return;
    if (this.#wasReset) {
      this.#error ??= resetError();
      this.destroy();
      return;
    }
    this.#peerEnded = true;
    outputs.enter();
    try {
      this.#handler?.ended();
    } catch (error) {
      this.#bug(error);
    }
    outputs.leave();
  };

  /**
   * A write that fails because of a reset would have Node drop what the peer had said before it, such as the
   * refusal of the body that is being sent. The next poll reads that: two turns later the socket goes.
   */
  readonly #onDestroy = (error?: NodeJS.ErrnoException): Socket => {
    if (error?.syscall !== 'write' || this.#over) return this.#destroyNow(error);
    setImmediate(() => setImmediate(() => this.#destroyNow(error)));
    return this.#socket;
  };

  /**
   * A reset that is seen together with the last bytes comes as an end: libuv takes a hang-up behind a short
   * read for one. The kernel knows no peer any more then, as after our own end, which hides the difference.
   */
  get #wasReset(): boolean {
    return !this.#ending && this.#socket.remoteAddress === undefined;
  }

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    this.#error ??= error;
  };

  readonly #onClose = (): void => {
    this.#over = true;
    this.#output.close();
    const handler = this.#handler;
    this.#handler = null;
    outputs.enter();
    try {
      handler?.closed(this.#error);
      this.#options.onGone?.();
    } catch (error) {
      this.#options.onBug(error);
    }
    outputs.leave();
  };

  #bug(error: unknown): void {
    this.destroy();
    this.#options.onBug(error);
  }
}

function resetError(): NodeJS.ErrnoException {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
}
