/**
 * Bytes that arrived before their turn: pipelined requests behind a running exchange, early tunnel bytes.
 * Copied once when they arrive; the owner stops reading at its limit.
 */
export class WaitingInput {
  #bytes: Buffer | null = null;
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** What waits; valid until the next `push`. */
  get view(): Buffer {
    return (this.#bytes as Buffer).subarray(this.#start, this.#end);
  }

  /** Keeps a copy of the bytes from `from` on. */
  push(bytes: Buffer, from: number): void {
    const count = bytes.length - from;
    if (this.#bytes === null || this.#bytes.length - this.#end < count) this.#makeRoom(count);
    bytes.copy(this.#bytes as Buffer, this.#end, from);
    this.#end += count;
  }

  /** The first `count` bytes have been dealt with. */
  advance(count: number): void {
    this.#start += count;
    if (this.#start < this.#end) return;
    this.clear();
  }

  clear(): void {
    this.#bytes = null;
    this.#start = 0;
    this.#end = 0;
  }

  #makeRoom(count: number): void {
    const length = this.length;
    const grown = Buffer.allocUnsafeSlow(Math.max(1024, (length + count) * 2));
    if (this.#bytes !== null) this.#bytes.copy(grown, 0, this.#start, this.#end);
    this.#bytes = grown;
    this.#start = 0;
    this.#end = length;
  }
}
