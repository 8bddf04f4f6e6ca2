/** What one HTTP/1.1 connection may take; defaults are those of the config schema. */
export interface Http1Limits {
  /** Bytes of a request target; longer is 414. */
  readonly maxTargetBytes: number;
  /** Bytes of one field line with its line end; longer is 431. */
  readonly maxLineBytes: number;
  /** Bytes of a head from its start line to its empty line; more is 431. */
  readonly maxHeadBytes: number;
  /** Fields of a head; more is 431. */
  readonly maxFields: number;
  /** Bytes and fields of a trailer section. */
  readonly maxTrailerBytes: number;
  readonly maxTrailerFields: number;
  /** Bytes of one chunk line without its line end, and of the extensions of one body. */
  readonly maxChunkLineBytes: number;
  readonly maxChunkExtensionBytes: number;
  /** Pipelined bytes kept behind a running exchange before reading pauses. */
  readonly maxWaitingBytes: number;
  /** Interim responses of one exchange. */
  readonly maxInterim: number;
  /** Milliseconds from the first byte of a request head to its last. */
  readonly headTimeoutMs: number;
  /** Milliseconds a downstream connection may wait for its next request. */
  readonly idleTimeoutMs: number;
  /** Milliseconds between two pieces of a request body. */
  readonly bodyIdleTimeoutMs: number;
  /** Bytes per second a request body must reach on average over `bodyRateWindowMs`. 0: no rule. */
  readonly minBodyBytesPerSecond: number;
  readonly bodyRateWindowMs: number;
  /** Milliseconds a peer may leave our output untouched while it waits. */
  readonly stallTimeoutMs: number;
  /** After a last response: milliseconds and bytes of input that are still read and thrown away. */
  readonly lingerMs: number;
  readonly maxDiscardBytes: number;
}

/** `reliability.md` §4. */
export const defaultHttp1Limits: Http1Limits = {
  maxTargetBytes: 16_384,
  maxLineBytes: 16_384,
  maxHeadBytes: 65_536,
  maxFields: 128,
  maxTrailerBytes: 8_192,
  maxTrailerFields: 32,
  maxChunkLineBytes: 256,
  maxChunkExtensionBytes: 4_096,
  maxWaitingBytes: 65_536,
  maxInterim: 16,
  headTimeoutMs: 10_000,
  idleTimeoutMs: 75_000,
  bodyIdleTimeoutMs: 30_000,
  minBodyBytesPerSecond: 64,
  bodyRateWindowMs: 30_000,
  stallTimeoutMs: 60_000,
  lingerMs: 1_000,
  maxDiscardBytes: 262_144,
};
