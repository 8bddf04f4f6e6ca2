/**
 * One byte stream with a peer, plain or encrypted. Codecs drive it; it knows no protocol.
 * No method throws; after `destroy` or `closed` every call is ignored.
 */
export interface Transport {
  /**
   * Appends to the output, which leaves in one piece at the next flush: the end of the read
   * callback that caused it, or at the latest this turn of the event loop.
   * Text is latin-1. A buffer is copied unless `owned`: then the caller never touches it again.
   * False when more than the high-water mark waits: stop, and go on at `TransportHandler.drained`.
   */
  write(bytes: string | Buffer, owned?: boolean): boolean;
  /** Bytes accepted and not yet taken by the kernel. */
  readonly unsent: number;
  /** Stop and go on reading. Pausing inside `received` holds back the reads after this one. */
  pause(): void;
  resume(): void;
  /** Flush, then send FIN; reading goes on. */
  end(): void;
  /** Drop everything now. `reset`: with RST instead of FIN, so that the peer sees a truncation. */
  destroy(reset?: boolean): void;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
}

/** What a transport tells its owner; all calls come from the event loop, never from inside a call to it. */
export interface TransportHandler {
  /** `bytes` is valid only inside the call. */
  received(bytes: Buffer): void;
  /** The output fell below the low-water mark after a `write` returned false. */
  drained(): void;
  /** The peer sent FIN; writing still works. */
  ended(): void;
  /** Gone for both directions; last call. The error is the socket's (`code` such as ECONNRESET), or null. */
  closed(error: NodeJS.ErrnoException | null): void;
}
