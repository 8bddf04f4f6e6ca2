import type { Socket } from 'node:net';
import { type Flushable, outputs } from './flush.ts';
import { giveSlab, SLAB_BYTES, takeSlab } from './output-slab.ts';
import type { ReadSlab } from './read-buffer.ts';

/** Bytes above which writers are told to wait. */
export const HIGH_WATER_BYTES = 65_536;

/** Bytes below which they may go on. */
export const LOW_WATER_BYTES = 16_384;

/** Memory that write number `write` sends from; not to be touched before the kernel took it. */
interface Pin {
  readonly write: number;
  readonly slab: Buffer | null;
  readonly loan: ReadSlab | null;
}

/**
 * Output of one socket until the kernel takes it. Text and small buffers are put together and leave as one
 * system call; large pieces go to the socket as they are when their memory stays untouched, else as a copy.
 * While the kernel takes nothing, at most the writes of callers that ignore `false` add up here.
 */
export class Output implements Flushable {
  readonly #socket: Socket;
  readonly #batched: boolean;
  /** Called from the event loop when the kernel took something. */
  readonly #onTaken: () => void;
  /** Waiting output is `#slab` up to `#used`, then `#text`. */
  #slab: Buffer | null = null;
  #used = 0;
  #text = '';
  #listed = false;
  /** A flush found the socket busy: the next write that ends continues it. */
  #held = false;
  #writes = 0;
  #taken = 0;
  #pins: Pin[] = [];

  constructor(socket: Socket, batched: boolean, onTaken: () => void) {
    this.#socket = socket;
    this.#batched = batched;
    this.#onTaken = onTaken;
  }

  get unsent(): number {
    return this.#socket.writableLength + this.#used + this.#text.length;
  }

  appendText(text: string): void {
    this.#text += text;
    this.#list();
    if (this.#text.length > SLAB_BYTES) this.#handWaiting();
  }

  /** `loan`: the slab that `bytes` lies in, when it can be lent; `owned`: the memory is ours from now on. */
  appendBytes(bytes: Buffer, owned: boolean, loan: ReadSlab | null): void {
    if (bytes.length === 0) return;
    if (this.#used + this.#text.length + bytes.length > SLAB_BYTES) {
      if (bytes.length > SLAB_BYTES >> 1) {
        this.#handLarge(owned || loan !== null ? bytes : Buffer.from(bytes), loan);
        return;
      }
      this.#handWaiting();
    }
    this.#spill();
    const slab = (this.#slab ??= takeSlab());
    slab.set(bytes, this.#used);
    this.#used += bytes.length;
    this.#list();
  }

  flush(): void {
    this.#listed = false;
    if (this.#socket.writableLength > 0) this.#held = true;
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
    this.#unpinAll();
  }

  #list(): void {
    if (this.#listed) return;
    this.#listed = true;
    if (this.#batched) outputs.addBatched(this);
    else outputs.add(this);
  }

  /** Moves waiting text behind the bytes of the slab. The caller has checked that it fits. */
  #spill(): void {
    if (this.#text === '') return;
    const slab = (this.#slab ??= takeSlab());
    this.#used += slab.write(this.#text, this.#used, 'latin1');
    this.#text = '';
  }

  #handWaiting(): void {
    if (this.#used > 0 && this.#text !== '') {
      if (this.#used + this.#text.length <= SLAB_BYTES) this.#spill();
      else this.#handSlab();
    }
    if (this.#used > 0) this.#handSlab();
    if (this.#text !== '') {
      const text = this.#text;
      this.#text = '';
      this.#hand(text);
    }
  }

  #handSlab(): void {
    const slab = this.#slab as Buffer;
    this.#hand(slab.subarray(0, this.#used));
    this.#used = 0;
    this.#slab = null;
    if (this.#socket.writableLength === 0) giveSlab(slab);
    else this.#pins.push({ write: this.#writes, slab, loan: null });
  }

  #handLarge(bytes: Buffer, loan: ReadSlab | null): void {
    const socket = this.#socket;
    const together = this.#used > 0 || this.#text !== '';
    if (together) {
      socket.cork();
      this.#handWaiting();
    }
    this.#hand(bytes);
    if (loan !== null) {
      loan.lend();
      this.#pins.push({ write: this.#writes, slab: null, loan });
    }
    if (together) socket.uncork();
    if (socket.writableLength === 0) this.#unpinAll();
  }

  #hand(piece: Buffer | string): void {
    this.#writes++;
    // The socket tries the system call at once: `writableLength` 0 afterwards means that all was taken.
    this.#socket.write(piece, 'latin1', this.#onWritten);
  }

  #unpinAll(): void {
    for (const pin of this.#pins) unpin(pin);
    this.#pins.length = 0;
  }

  /** Once for each write, in order, also when it fails. */
  readonly #onWritten = (): void => {
    this.#taken++;
    while (this.#pins.length > 0 && (this.#pins[0] as Pin).write <= this.#taken)
      unpin(this.#pins.shift() as Pin);
    if (this.#held && this.#socket.writableLength === 0 && !this.#socket.destroyed) {
      this.#held = false;
      this.#handWaiting();
    }
    this.#onTaken();
  };
}

function unpin(pin: Pin): void {
  if (pin.slab !== null) giveSlab(pin.slab);
  pin.loan?.release();
}
