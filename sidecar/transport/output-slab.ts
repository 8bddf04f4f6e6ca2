/** Bytes of one slab: more than any head with a small body, less than what is worth sending without a copy. */
export const SLAB_BYTES = 16_384;

/** Free slabs kept for reuse, 1 MiB in all; a slab beyond that is left to the collector. */
const KEPT = 64;

const free: Buffer[] = [];

/** Memory in which small writes are put together. It is the caller's until `giveSlab`. */
export function takeSlab(): Buffer {
  // Last in, first out: the slab that was just sent is still in the processor's cache.
  return free.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
}

/** The kernel has taken everything in it. */
export function giveSlab(slab: Buffer): void {
  if (free.length < KEPT) free.push(slab);
}
