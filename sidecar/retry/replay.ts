import type { Responder } from '../message/exchange.ts';
import type { HeaderBlock } from '../message/head.ts';

// First allocation; doubled as needed, so that many tiny pieces cost what one large piece costs.
const FIRST_BYTES = 1024;

/**
 * A bounded copy of a request body, so that another attempt can send it from the start. One flat
 * buffer, whatever the pieces were; gone for good once the body outgrows it.
 */
export class Replay {
  readonly #maxBytes: number;
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;
  #ended = false;
  #trailers: HeaderBlock | null = null;
  #intact = true;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Everything since the first byte is here. */
  get intact(): boolean {
    return this.#intact;
  }

  /** Bytes held. */
  get length(): number {
    return this.#length;
  }

  /** The end of the body is here too. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Copies a piece. False: it did not fit, and what was held is dropped. */
  append(bytes: Buffer): boolean {
    if (!this.#intact) return false;
    const length = this.#length + bytes.length;
    if (length > this.#maxBytes) {
      this.drop();
      return false;
    }
    if (length > this.#bytes.length) this.#grow(length);
    bytes.copy(this.#bytes, this.#length);
    this.#length = length;
    return true;
  }

  /** Notes that the body is complete. */
  end(trailers: HeaderBlock | null): void {
    this.#ended = true;
    this.#trailers = trailers;
  }

  /** Frees the copy: no other attempt will follow. */
  drop(): void {
    this.#intact = false;
    this.#bytes = Buffer.alloc(0);
    this.#length = 0;
  }

  /** Sends what is held, and the end if it is known. False: the responder now wants to be waited for. */
  send(responder: Responder): boolean {
    const room = this.#length === 0 || responder.data(this.#bytes.subarray(0, this.#length));
    // Each attempt gets fields of its own, since a codec or a rewrite may edit them.
    if (this.#ended) responder.end(this.#trailers?.copy() ?? null);
    return room;
  }

  #grow(needed: number): void {
    let size = Math.max(FIRST_BYTES, this.#bytes.length);
    while (size < needed) size *= 2;
    const larger = Buffer.allocUnsafeSlow(Math.min(size, Math.max(needed, this.#maxBytes)));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
