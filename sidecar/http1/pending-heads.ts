/** A connection that keeps bytes of an unfinished head. */
export interface PendingHead {
  /** Too many bytes are kept in the process, and this head is the oldest: answer and close. */
  evict(): void;
}

/**
 * Bounds the bytes of unfinished heads over all connections: many peers that drip a head each must not
 * take the memory of the others. At the limit the oldest goes.
 */
export class PendingHeads {
  readonly #maxBytes: number;
  readonly #kept = new Map<PendingHead, number>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes kept by all connections now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The head has grown to `bytes`; its age counts from the first call. May evict, this one too. */
  keep(head: PendingHead, bytes: number): void {
    this.#bytes += bytes - (this.#kept.get(head) ?? 0);
    this.#kept.set(head, bytes);
    while (this.#bytes > this.#maxBytes) {
      const oldest = this.#kept.keys().next().value as PendingHead;
      this.release(oldest);
      oldest.evict();
    }
  }

  /** The head is complete or gone. */
  release(head: PendingHead): void {
    const bytes = this.#kept.get(head);
    if (bytes === undefined) return;
    this.#kept.delete(head);
    this.#bytes -= bytes;
  }
}

/** `reliability.md` §4: bytes of unfinished heads in the whole process. */
const MAX_PENDING_BYTES = 33_554_432;

/** The one of this process. */
export const pendingHeads = new PendingHeads(MAX_PENDING_BYTES);
