/**
 * Fields of one message in wire order, duplicates and case kept. Names compare without case
 * (ASCII only), and are passed in lower case. Values are latin-1 text without CR, LF and NUL.
 */
export interface HeaderBlock {
  /** First value of the field, or null. */
  get(name: string): string | null;
  /** Replaces every field of that name by one at the end, written with the name as given. */
  set(name: string, value: string): void;
  /** Adds a field at the end, whether or not one of that name is there. */
  append(name: string, value: string): void;
  remove(name: string): void;
  forEach(visit: (name: string, value: string) => void): void;
  /** An independent block with the same fields; edits of one never show in the other. */
  copy(): HeaderBlock;
}

export type HttpVersion = '1.0' | '1.1' | '2';

/** What a request says before its body. Framing and connection fields have been taken out. */
export interface RequestHead {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** Host or :authority as received; empty only where a listener's default applies. */
  readonly authority: string;
  /** Path and query as received, never decoded; `*` for OPTIONS. */
  readonly path: string;
  readonly version: HttpVersion;
  /** Token of Upgrade (h1) or :protocol (h2); null for an ordinary request. */
  readonly protocol: string | null;
  readonly headers: HeaderBlock;
  /** Bytes, validated; null when the length is not known before the end. */
  readonly contentLength: number | null;
  /** Nothing follows this head: no body, no trailers. `end` is still called. */
  readonly ended: boolean;
}

/** What a response says before its body; interim (1xx) and final heads alike. */
export interface ResponseHead {
  /** 100–599. */
  readonly status: number;
  readonly headers: HeaderBlock;
  readonly contentLength: number | null;
  readonly ended: boolean;
}

/** The other end of a connection. */
export interface Peer {
  readonly address: string;
  readonly port: number;
  /** SPIFFE URI when the connection proved one. */
  readonly identity: string | null;
}
