import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 4096;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);

/** Trace and span ids, cut from a pool of random hex digits that is refilled when it is used up. */
export class RandomIds {
  readonly #bytes = Buffer.allocUnsafe(POOL_BYTES);
  readonly #fill: (bytes: Buffer) => void;
  #pool = '';
  #at = 0;

  /** `fill` puts random bytes into a buffer; tests give known ones. */
  constructor(fill: (bytes: Buffer) => void = randomFillSync) {
    this.#fill = fill;
  }

  /** Thirty-two hex digits, not all zero. */
  traceId(): string {
    for (;;) {
      const id = this.#take(32);
      if (id !== NO_TRACE) return id;
    }
  }

  /** Sixteen hex digits, not all zero. */
  spanId(): string {
    for (;;) {
      const id = this.#take(16);
      if (id !== NO_SPAN) return id;
    }
  }

  #take(digits: number): string {
    if (this.#at + digits > this.#pool.length) {
      this.#fill(this.#bytes);
      this.#pool = this.#bytes.toString('hex');
      this.#at = 0;
    }
    this.#at += digits;
    return this.#pool.slice(this.#at - digits, this.#at);
  }
}
