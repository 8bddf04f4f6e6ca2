/** Bytes of one read at most; also the size of the socket reads of HAProxy and nginx in their bulk modes, times four. */
export const READ_BYTES = 65_536;

/** Read buffers beside the shared one, 4 MiB in all: see `ReadBuffer`. */
const OWN_BUFFERS = 64;

/** A read of at least this many bytes is bulk: worth a buffer that need not be copied. */
const BULK_BYTES = 32_768;

/** Reads below that size in a row after which a connection gives its own buffer back. */
const SMALL_READS = 8;

/** Memory that sockets read into, and how many unfinished writes still send from it. */
export class ReadSlab {
  readonly bytes = Buffer.allocUnsafeSlow(READ_BYTES);
  #loans = 0;
  #held = false;

  get lent(): boolean {
    return this.#loans > 0;
  }

  lend(): void {
    this.#loans++;
  }

  /** A write that sent from it is over. */
  release(): void {
    this.#loans--;
    if (this.#loans === 0 && !this.#held) free.push(this);
  }

  hold(): void {
    this.#held = true;
  }

  letGo(): void {
    this.#held = false;
    if (this.#loans === 0) free.push(this);
  }
}

/** The one buffer that every socket of the process reads into, unless it reads in bulk. */
const shared = new ReadSlab();

const free: ReadSlab[] = [];
let made = 0;

function takeOwn(): ReadSlab | null {
  let slab = free.pop();
  if (slab === undefined) {
    if (made >= OWN_BUFFERS) return null;
    made++;
    slab = new ReadSlab();
  }
  slab.hold();
  return slab;
}

/**
 * Which memory one socket reads into. Small reads share one buffer per process: nothing is allocated,
 * and the bytes must be copied to outlive the callback. A connection that reads in bulk borrows a buffer
 * of its own from a bounded set, so that another socket can send straight from it: when the kernel does
 * not take all of it at once, the buffer is lent until it has, and the next read goes elsewhere.
 */
export class ReadBuffer {
  #slab = shared;
  #small = 0;

  get bytes(): Buffer {
    return this.#slab.bytes;
  }

  /** The slab that may be lent to a write, or null when its bytes must be copied. */
  get lendable(): ReadSlab | null {
    return this.#slab === shared ? null : this.#slab;
  }

  /** Buffer of the next read after one of `length` bytes; undefined: the same one. */
  next(length: number): Buffer | undefined {
    if (length >= BULK_BYTES) {
      this.#small = 0;
      if (this.#slab === shared || this.#slab.lent) return this.#change(takeOwn() ?? shared);
      return undefined;
    }
    if (this.#slab === shared) return undefined;
    if (++this.#small >= SMALL_READS) return this.#change(shared);
    return this.#slab.lent ? this.#change(takeOwn() ?? shared) : undefined;
  }

  /** The socket will not read again. */
  close(): void {
    this.#change(shared);
  }

  #change(slab: ReadSlab): Buffer | undefined {
    const previous = this.#slab;
    if (slab === previous) return undefined;
    this.#slab = slab;
    this.#small = 0;
    if (previous !== shared) previous.letGo();
    return slab.bytes;
  }
}
