import type { Transport, TransportHandler } from '../../sidecar/transport/transport.ts';

/** How a transport went: still open, by its own `destroy`, with a reset, or because the peer is gone. */
type End = 'open' | 'destroyed' | 'reset' | 'lost';

/**
 * A transport without a socket: tests play the peer. Output is kept as latin-1 text; `held` keeps it
 * in `unsent` until `take`, so that back-pressure can be seen.
 */
export class MemoryTransport implements Transport {
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 40_000;
  readonly localPort = 80;
  /** Bytes above which `write` answers false while output is held. */
  highWaterBytes = 65_536;
  /** Output stays unsent until `take`. */
  held = false;
  /** Everything the peer has received. */
  output = '';
  paused = false;
  /** We sent FIN. */
  ended = false;
  how: End = 'open';
  #handler: TransportHandler | null = null;
  #unsent = '';
  #full = false;
  #peerEnded = false;

  attach(handler: TransportHandler): void {
    this.#handler = handler;
  }

  get unsent(): number {
    return this.#unsent.length;
  }

  get open(): boolean {
    return this.how === 'open';
  }

  write(bytes: string | Buffer): boolean {
    if (!this.open || this.ended) return false;
    const text = typeof bytes === 'string' ? bytes : bytes.toString('latin1');
    if (!this.held) {
      this.output += text;
      return true;
    }
    this.#unsent += text;
    if (this.#unsent.length <= this.highWaterBytes) return true;
    this.#full = true;
    return false;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  end(): void {
    if (!this.open) return;
    this.ended = true;
    this.#closeWhenBothEnded();
  }

  destroy(reset = false): void {
    this.#gone(reset ? 'reset' : 'destroyed', null);
  }

  /** The peer sends bytes; they are overwritten afterwards, as those of a shared read buffer are. */
  deliver(bytes: string | Buffer): void {
    if (!this.open) return;
    const copy = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes);
    this.#handler?.received(copy);
    copy.fill(0x21);
  }

  /** The peer sends FIN. */
  fin(): void {
    if (!this.open || this.#peerEnded) return;
    this.#peerEnded = true;
    this.#handler?.ended();
    this.#closeWhenBothEnded();
  }

  /** The peer resets the connection. */
  reset(): void {
    this.#gone('lost', Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
  }

  /** The peer reads up to that many bytes of what is held. */
  take(count = Number.POSITIVE_INFINITY): void {
    this.output += this.#unsent.slice(0, count);
    this.#unsent = this.#unsent.slice(count);
    this.#closeWhenBothEnded();
    if (!this.#full || !this.open || this.#unsent.length > this.highWaterBytes / 2) return;
    this.#full = false;
    this.#handler?.drained();
  }

  #closeWhenBothEnded(): void {
    if (this.ended && this.#peerEnded && this.#unsent === '' && this.open) this.#gone('lost', null);
  }

  #gone(end: End, error: NodeJS.ErrnoException | null): void {
    if (!this.open) return;
    this.how = end;
    queueMicrotask(() => this.#handler?.closed(error));
  }
}
