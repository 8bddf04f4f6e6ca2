import type { ResponseHead } from '../message/head.ts';
import { ReceivedHeaders } from '../message/headers.ts';
import { equalsFolded, fieldBytes, foldAscii } from '../message/octets.ts';
import { badValueByte, FieldLines, INCOMPLETE, lineRefusals, REFUSED } from './field-lines.ts';
import { responseFraming } from './framing.ts';
import { KnownFields } from './known-fields.ts';
import type { Http1Limits } from './limits.ts';
import { type Refusal, refusal, tooLarge } from './refusal.ts';

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;

const BAD_STATUS_LINE = refusal(
  'the status line does not start with HTTP/1.1 and a status of 100–599',
);
const LONG_STATUS_LINE = tooLarge('the status line is over its limit', 'maxLineBytes');
const LONG_HEAD = tooLarge('the response head is over its limit', 'maxHeadBytes');
const UNASKED_PROTOCOL = refusal('101 for a protocol that was not asked for');
const UNKNOWN_INTERIM = refusal('an interim status other than 100, 101, 102 and 103');

/** How a start line that is refused before it is complete is explained. */
export const statusLineRefusals = { BAD_STATUS_LINE, LONG_STATUS_LINE, LONG_HEAD } as const;

// Heads are read to their end without a pause, so one set of scratch space serves all connections.
const lines = new FieldLines();
const fields = new KnownFields();

/**
 * Reads response heads strictly (RFC 9112 §4, §5). After a successful `parse` the properties describe
 * that head.
 */
export class ResponseParser {
  readonly #limits: Http1Limits;
  #method = '';
  #protocol: string | null = null;
  head: ResponseHead | null = null;
  /** Bytes of the body, `CHUNKED` or `UNTIL_CLOSE`; 0 for interim heads and tunnels. */
  framing = 0;
  /** The bytes behind this head are a tunnel: 101, or 2xx to CONNECT. */
  tunnel = false;
  /** The connection may carry another exchange. */
  persistent = false;
  /** Milliseconds the peer says it keeps an idle connection, or -1. */
  keepAliveMs = -1;
  refused: Refusal | null = null;

  constructor(limits: Http1Limits) {
    this.#limits = limits;
  }

  /** The next heads answer this request. */
  expect(method: string, protocol: string | null): void {
    this.#method = method;
    this.#protocol = protocol;
  }

  /** As `RequestParser.parse`. */
  parse(bytes: Buffer, from: number, end: number): number {
    const limits = this.#limits;
    let p = from;
    if (p + STATUS_BYTES + 1 > end) return INCOMPLETE;
    const status = statusOf(bytes, p);
    if (status < 0) return this.#refuse(BAD_STATUS_LINE);
    const old = bytes[p + 7] === 0x30;
    p += STATUS_BYTES;
    if (bytes[p] === SP) {
      p++;
      while (p < end && fieldBytes[bytes[p] as number] === 1) p++;
    } else if (bytes[p] !== CR) return this.#refuse(BAD_STATUS_LINE);
    if (p - from > limits.maxLineBytes) return this.#refuse(LONG_STATUS_LINE);
    if (p >= end) return INCOMPLETE;
    if (bytes[p] !== CR) return this.#refuse(badValueByte(bytes[p] as number));
    if (p + 1 >= end) return INCOMPLETE;
    if (bytes[p + 1] !== LF) return this.#refuse(lineRefusals.BARE_CR);
    p += 2;
    const headEnd = lines.read(bytes, from, p, end, limits.maxLineBytes, limits.maxFields);
    if (headEnd < 0) {
      this.refused = lines.refused;
      return headEnd;
    }
    if (headEnd - from > limits.maxHeadBytes) return this.#refuse(LONG_HEAD);
    const refused = this.#accept(status, old, bytes.toString('latin1', from, headEnd));
    return refused === null ? headEnd : this.#refuse(refused);
  }

  #accept(status: number, old: boolean, text: string): Refusal | null {
    const refused = fields.read(text, lines);
    if (refused !== null) return refused;
    this.tunnel = false;
    this.framing = 0;
    this.persistent = old ? fields.keepAlive && !fields.close : !fields.close;
    this.keepAliveMs = fields.keepAliveSeconds < 0 ? -1 : fields.keepAliveSeconds * 1000;
    const bodiless = this.#method === 'HEAD' || status === 304;
    let contentLength: number | null = null;
    let ended = false;
    if (status < 200) {
      const interim = this.#interim(status, text);
      if (interim !== null) return interim;
    } else if (this.#method === 'CONNECT' && status < 300) {
      this.tunnel = true;
    } else if (bodiless || status === 204) {
      ended = true;
      if (this.#unsound(old) || (status === 204 && announcesBody())) this.persistent = false;
      else if (bodiless && fields.lengths === 1) contentLength = fields.length;
    } else {
      const framing = responseFraming(fields, old);
      if (typeof framing !== 'number') return framing;
      this.framing = framing;
      if (framing >= 0) contentLength = framing;
      ended = framing === 0;
    }
    const headers = new ReceivedHeaders(text, lines.copy(), lines.mask);
    this.head = { status, headers, contentLength, ended };
    return null;
  }

  /** A message that has no body carries framing that nobody could obey: do not trust what follows. */
  #unsound(old: boolean): boolean {
    return (
      (fields.lengths > 0 || fields.codings > 0) && typeof responseFraming(fields, old) !== 'number'
    );
  }

  #interim(status: number, text: string): Refusal | null {
    if (status !== 101) return status <= 103 ? null : UNKNOWN_INTERIM;
    if (this.#protocol === null || fields.upgrades !== 1 || !fields.upgradeOption) {
      return UNASKED_PROTOCOL;
    }
    const protocol = text.slice(fields.upgradeStart, fields.upgradeEnd);
    if (!equalsFolded(protocol, foldAscii(this.#protocol))) return UNASKED_PROTOCOL;
    this.tunnel = true;
    return null;
  }

  #refuse(reason: Refusal): number {
    this.refused = reason;
    return REFUSED;
  }
}

/** A 204 that says so has a body in the eyes of its sender, which then follows. */
function announcesBody(): boolean {
  return fields.codings > 0 || (fields.lengths > 0 && fields.length !== 0);
}

/** `HTTP/1.1 200`. */
const STATUS_BYTES = 12;

function statusOf(bytes: Buffer, at: number): number {
  if (
    bytes[at] !== 0x48 ||
    bytes[at + 1] !== 0x54 ||
    bytes[at + 2] !== 0x54 ||
    bytes[at + 3] !== 0x50 ||
    bytes[at + 4] !== 0x2f ||
    bytes[at + 5] !== 0x31 ||
    bytes[at + 6] !== 0x2e ||
    (bytes[at + 7] !== 0x31 && bytes[at + 7] !== 0x30) ||
    bytes[at + 8] !== SP
  ) {
    return -1;
  }
  let status = 0;
  for (let i = at + 9; i < at + STATUS_BYTES; i++) {
    const digit = (bytes[i] as number) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    status = status * 10 + digit;
  }
  return status >= 100 && status <= 599 ? status : -1;
}
