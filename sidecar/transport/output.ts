import type { Socket } from 'node:net';
import { type Flushable, outputs } from './flush.ts';
import { giveSlab, LARGE_SLAB_BYTES, SMALL_SLAB_BYTES, takeSlab } from './output-slab.ts';

/** Bytes above which writers are told to wait. */
export const HIGH_WATER_BYTES = 65_536;

/** Bytes below which they may go on. */
export const LOW_WATER_BYTES = 16_384;

/** Bytes from which memory that is ours goes to the socket as it is: a second piece costs more than copying less. */
const DIRECT_BYTES = SMALL_SLAB_BYTES;

/** A slab that write number `write` sends from; not to be touched before the kernel took it. */
interface Pin {
  readonly write: number;
  readonly slab: Buffer;
}

/**
 * Output of one socket until the kernel takes it: text and buffers are put together in a slab and leave as
 * one system call. Bytes are copied when they are appended, unless they are large and owned: the socket
 * refers to what the kernel did not take at once, so shared memory must never reach it.
 */
export class Output implements Flushable {
  readonly #socket: Socket;
  /** Called from the event loop when the kernel took something. */
  readonly #onTaken: () => void;
  /** Waiting output is `#slab` up to `#used`, then `#text`. */
  #slab: Buffer | null = null;
  #used = 0;
  #text = '';
  #listed = false;
  /** The kernel did not take all of the last write at once. While it did, the socket need not be asked. */
  #busy = false;
  /** A flush found the socket busy: the write that is under way continues it. */
  #held = false;
  #writes = 0;
  #taken = 0;
  readonly #pins: Pin[] = [];

  constructor(socket: Socket, onTaken: () => void) {
    this.#socket = socket;
    this.#onTaken = onTaken;
  }

  get unsent(): number {
    const waiting = this.#used + this.#text.length;
    return this.#busy ? waiting + this.#socket.writableLength : waiting;
  }

  /** Text is latin-1, one byte for each UTF-16 unit. */
  appendText(text: string): void {
    if (this.#text.length + text.length > SMALL_SLAB_BYTES) this.#handWaiting();
    this.#text += text;
    this.#list();
  }

  /** `owned`: nobody else touches the memory again. */
  appendBytes(bytes: Buffer, owned: boolean): void {
    if (owned && bytes.length >= DIRECT_BYTES) {
      this.#handOwned(bytes);
      return;
    }
    for (let from = 0; from < bytes.length; ) {
      const room = LARGE_SLAB_BYTES - this.#used - this.#text.length;
      const length = Math.min(room, bytes.length - from);
      if (length > 0)
        this.#copy(length === bytes.length ? bytes : bytes.subarray(from, from + length));
      from += length;
      if (from < bytes.length) this.#handWaiting();
    }
    this.#list();
  }

  flush(): void {
    this.#listed = false;
    if (this.#busy && this.#socket.writableLength > 0) this.#held = true;
    else this.#handWaiting();
  }

  /** Hands everything to the socket, whether or not the kernel keeps up. */
  flushAll(): void {
    this.#handWaiting();
  }

  /** Drops what the socket has not been handed. */
  discard(): void {
    if (this.#slab !== null) giveSlab(this.#slab);
    this.#slab = null;
    this.#used = 0;
    this.#text = '';
  }

  /** The socket is closed: nothing refers to our memory any more. */
  close(): void {
    this.discard();
    for (const pin of this.#pins) giveSlab(pin.slab);
    this.#pins.length = 0;
  }

  #list(): void {
    if (this.#listed) return;
    this.#listed = true;
    outputs.add(this);
  }

  /** Adds waiting text and `bytes` to the slab; the caller has checked that they fit a large one. */
  #copy(bytes: Buffer): void {
    this.#reserve(this.#text.length + bytes.length);
    this.#spill();
    (this.#slab as Buffer).set(bytes, this.#used);
    this.#used += bytes.length;
  }

  #reserve(more: number): void {
    const slab = this.#slab;
    if (slab !== null && this.#used + more <= slab.length) return;
    const larger = takeSlab(this.#used + more);
    if (slab !== null) {
      slab.copy(larger, 0, 0, this.#used);
      giveSlab(slab);
    }
    this.#slab = larger;
  }

  #spill(): void {
    if (this.#text === '') return;
    this.#used += (this.#slab as Buffer).write(this.#text, this.#used, 'latin1');
    this.#text = '';
  }

  #handWaiting(): void {
    if (this.#used > 0) {
      if (this.#text !== '' && this.#used + this.#text.length <= LARGE_SLAB_BYTES) {
        this.#reserve(this.#text.length);
        this.#spill();
      }
      this.#handSlab();
    }
    if (this.#text !== '') {
      const text = this.#text;
      this.#text = '';
      this.#hand(text);
    }
  }

  #handSlab(): void {
    const slab = this.#slab as Buffer;
    this.#hand(slab.subarray(0, this.#used));
    this.#slab = null;
    this.#used = 0;
    // The socket tries the system call at once: nothing left means that the kernel has taken all of it.
    if (!this.#busy) giveSlab(slab);
    else this.#pins.push({ write: this.#writes, slab });
  }

  #handOwned(bytes: Buffer): void {
    const together = this.#used > 0 || this.#text !== '';
    if (together) {
      this.#socket.cork();
      this.#handWaiting();
    }
    this.#hand(bytes);
    if (together) this.#socket.uncork();
  }

  #hand(piece: Buffer | string): void {
    this.#writes++;
    this.#socket.write(piece, 'latin1', this.#onWritten);
    this.#busy = this.#socket.writableLength > 0;
  }

  /** Once for each write, in order, also when it fails. */
  readonly #onWritten = (): void => {
    this.#taken++;
    while (this.#pins.length > 0 && (this.#pins[0] as Pin).write <= this.#taken)
      giveSlab((this.#pins.shift() as Pin).slab);
    if (this.#held && this.#socket.writableLength === 0 && !this.#socket.destroyed) {
      this.#held = false;
      this.#handWaiting();
    }
    this.#onTaken();
  };
}
