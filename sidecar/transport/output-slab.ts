import { READ_BYTES } from './read-buffer.ts';

/** Bytes of a small slab: a head with a small body. */
export const SMALL_SLAB_BYTES = 16_384;

/** Bytes of a large slab: one whole read behind a head. */
export const LARGE_SLAB_BYTES = READ_BYTES + SMALL_SLAB_BYTES;

/** Free slabs kept for reuse, some 2 MiB in all; one beyond that is left to the collector. */
const KEPT_SMALL = 48;
const KEPT_LARGE = 16;

const small: Buffer[] = [];
const large: Buffer[] = [];

/**
 * Memory for at least `bytes`, at most `LARGE_SLAB_BYTES`; the caller's until `giveSlab`. Last in, first
 * out: the slab that was just sent is still in the processor's cache.
 */
export function takeSlab(bytes: number): Buffer {
  if (bytes <= SMALL_SLAB_BYTES) return small.pop() ?? Buffer.allocUnsafeSlow(SMALL_SLAB_BYTES);
  return large.pop() ?? Buffer.allocUnsafeSlow(LARGE_SLAB_BYTES);
}

/** Gives a slab back once nothing refers to its bytes any more. */
export function giveSlab(slab: Buffer): void {
  if (slab.length === SMALL_SLAB_BYTES) {
    if (small.length < KEPT_SMALL) small.push(slab);
  } else if (large.length < KEPT_LARGE) large.push(slab);
}
