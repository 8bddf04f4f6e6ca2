/** Bytes of one read at most. */
export const READ_BYTES = 65_536;

/**
 * The buffer that every socket of the process reads into: nothing is allocated for a read, and the bytes
 * stay in the processor's cache. They are valid only inside the read callback; whoever keeps some copies them.
 * Own buffers for bulk readers, lent to writes without a copy, were slower: sixteen of them leave the cache.
 */
export const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);
