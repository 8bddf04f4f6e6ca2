import type { HttpVersion, RequestHead } from '../message/head.ts';
import { ReceivedHeaders } from '../message/headers.ts';
import { foldAscii, targetBytes, tokenBytes } from '../message/octets.ts';
import { isAuthority } from './authority.ts';
import { FieldLines, INCOMPLETE, REFUSED } from './field-lines.ts';
import { requestFraming } from './framing.ts';
import { KnownFields } from './known-fields.ts';
import type { Http1Limits } from './limits.ts';
import { type Refusal, refusal, tooLarge } from './refusal.ts';
import { readTarget } from './target.ts';

/** What a listener lets its requests be. */
export interface RequestRules {
  readonly limits: Http1Limits;
  readonly scheme: 'http' | 'https';
  /** Authority of an HTTP/1.0 request without Host; null refuses it. */
  readonly defaultAuthority: string | null;
  readonly allowConnect: boolean;
  /** Names of Upgrade that are passed on, in lower case; others are dropped. */
  readonly upgrades: readonly string[];
}

/** Longest method: those registered have at most 17 letters. */
export const MAX_METHOD_BYTES = 32;

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;

const EMPTY_LINE = refusal('the request starts with a bare CR');
const BAD_METHOD = refusal('the request line does not start with a method and a space');
const LONG_METHOD = refusal('the method is longer than 32 bytes', 501);
const BAD_TARGET = refusal('the request target holds a byte that is not forwarded');
const LONG_TARGET = tooLarge('the request target is over its limit', 'maxTargetBytes', 414);
const BAD_VERSION = refusal('the request line does not end in an HTTP version');
const OTHER_VERSION = refusal('the HTTP version is neither 1.1 nor 1.0', 505);
const LONG_HEAD = tooLarge('the request head is over its limit', 'maxHeadBytes');
const PREFACE = refusal('an HTTP/2 preface on an HTTP/1.1 connection');
const NO_TRACE = refusal('TRACE is not forwarded', 405);
const NO_CONNECT = refusal('CONNECT is not allowed here', 405);
const CONNECT_BODY = refusal('CONNECT with a body');
const NO_HOST = refusal('Host is missing');
const TWO_HOSTS = refusal('more than one Host');
const BAD_HOST = refusal('Host is no name or address with an optional port');
const OTHER_EXPECTATION = refusal('Expect asks for something else than 100-continue', 417);

/** How a start line that is refused before it is complete is explained. */
export const requestLineRefusals = { BAD_METHOD, LONG_METHOD, LONG_TARGET, LONG_HEAD } as const;

// Heads are read to their end without a pause, so one set of scratch space serves all connections.
const lines = new FieldLines();
const fields = new KnownFields();

/**
 * Reads request heads strictly (RFC 9112 §3, §5; `reliability.md` §2): what two parsers could read
 * differently is refused. After a successful `parse` the properties describe that head.
 */
export class RequestParser {
  readonly #rules: RequestRules;
  head: RequestHead | null = null;
  /** Bytes of the body, or `CHUNKED`. */
  framing = 0;
  /** The connection may serve another request after this one. */
  persistent = false;
  /** The sender waits for a 100 before it sends the body. */
  expectsContinue = false;
  /** An upgrade was asked for that is not passed on: what follows may be meant for it. */
  upgradeDropped = false;
  refused: Refusal | null = null;

  constructor(rules: RequestRules) {
    this.#rules = rules;
  }

  /**
   * Reads a head that starts at `from`. Returns the position behind it, `INCOMPLETE`, or `REFUSED` with
   * the reason in `refused`.
   */
  parse(bytes: Buffer, from: number, end: number): number {
    const limits = this.#rules.limits;
    let p = from;
    if (bytes[p] === CR) {
      if (p + 1 >= end) return INCOMPLETE;
      if (bytes[p + 1] !== LF) return this.#refuse(EMPTY_LINE);
      p += 2;
    }
    const origin = p;
    const methodBytes = tokenBytes;
    const allowed = targetBytes;
    while (p < end && methodBytes[bytes[p] as number] === 1) p++;
    if (p - origin > MAX_METHOD_BYTES) return this.#refuse(LONG_METHOD);
    if (p >= end) return INCOMPLETE;
    if (bytes[p] !== SP || p === origin) return this.#refuse(BAD_METHOD);
    const methodEnd = p;
    p++;
    const targetStart = p;
    while (p < end && allowed[bytes[p] as number] === 1) p++;
    if (p - targetStart > limits.maxTargetBytes) return this.#refuse(LONG_TARGET);
    if (p >= end) return INCOMPLETE;
    if (bytes[p] !== SP || p === targetStart) return this.#refuse(BAD_TARGET);
    const targetEnd = p;
    p++;
    if (p + VERSION_LINE_BYTES > end) return INCOMPLETE;
    const version = versionOf(bytes, p);
    if (version === null) return this.#refuse(badVersion(bytes, p));
    p += VERSION_LINE_BYTES;
    const headEnd = lines.read(bytes, origin, p, end, limits.maxLineBytes, limits.maxFields);
    if (headEnd < 0) {
      this.refused = lines.refused;
      return headEnd;
    }
    if (headEnd - origin > limits.maxHeadBytes) return this.#refuse(LONG_HEAD);
    const text = bytes.toString('latin1', origin, headEnd);
    const method = methodOf(text, methodEnd - origin);
    const refused = this.#accept(
      method,
      text.slice(targetStart - origin, targetEnd - origin),
      version,
      text,
    );
    return refused === null ? headEnd : this.#refuse(refused);
  }

  #accept(method: string, target: string, version: HttpVersion, text: string): Refusal | null {
    const rules = this.#rules;
    const old = version === '1.0';
    const refused = fields.read(text, lines);
    if (refused !== null) return refused;
    const framing = requestFraming(fields, old);
    if (typeof framing !== 'number') return framing;
    if (fields.hosts > 1) return TWO_HOSTS;
    let host: string | null = null;
    if (fields.hosts === 1) {
      host = text.slice(fields.hostStart, fields.hostEnd);
      if (!isAuthority(host)) return BAD_HOST;
    } else if (!old) return NO_HOST;
    const special = refusedMethod(method, rules.allowConnect, framing);
    if (special !== null) return special;
    let authority = host;
    let path = target;
    if (target.charCodeAt(0) !== SLASH || method === 'CONNECT') {
      const destination = readTarget(method, target, host);
      if ('detail' in destination) return destination;
      authority = destination.authority === '' ? null : destination.authority;
      path = destination.path;
    }
    if (authority === null) authority = rules.defaultAuthority;
    if (authority === null) return NO_HOST;
    if (fields.expects > 0 && !old && (fields.expects > 1 || !fields.expectsContinue)) {
      return OTHER_EXPECTATION;
    }
    const headers = new ReceivedHeaders(text, lines.copy(), lines.mask);
    // HTTP/1.0 has no expectations (RFC 9110 §10.1.1): the one in it is of another hop.
    if (fields.expects > 0 && old) headers.remove('expect');
    if (fields.trailers) headers.append('TE', 'trailers');
    const protocol =
      fields.upgrades === 1 && fields.upgradeOption && !old && framing === 0
        ? this.#protocol(text)
        : null;
    this.framing = framing;
    this.persistent = !old && !fields.close;
    this.expectsContinue = fields.expects > 0 && !old;
    this.upgradeDropped = protocol === null && fields.upgrades > 0 && fields.upgradeOption;
    const tunnel = protocol !== null || method === 'CONNECT';
    this.head = {
      method,
      scheme: rules.scheme,
      authority,
      path,
      version,
      protocol,
      headers,
      contentLength:
        framing > 0 || (framing === 0 && fields.lengths === 1 && !tunnel) ? framing : null,
      ended: framing === 0 && !tunnel,
    };
    return null;
  }

  /** The first protocol on offer that this listener passes on. */
  #protocol(text: string): string | null {
    for (const part of text.slice(fields.upgradeStart, fields.upgradeEnd).split(',')) {
      const offer = withoutBlanks(part);
      if (this.#rules.upgrades.includes(foldAscii(offer))) return offer;
    }
    return null;
  }

  #refuse(reason: Refusal): number {
    this.refused = reason;
    return REFUSED;
  }
}

const SLASH = 0x2f;
/** `HTTP/1.1` and its line end. */
const VERSION_LINE_BYTES = 10;

function versionOf(bytes: Buffer, at: number): HttpVersion | null {
  if (!isVersionLine(bytes, at) || bytes[at + 5] !== 0x31) return null;
  const minor = bytes[at + 7];
  return minor === 0x31 ? '1.1' : minor === 0x30 ? '1.0' : null;
}

function badVersion(bytes: Buffer, at: number): Refusal {
  if (!isVersionLine(bytes, at) || !isDigit(bytes[at + 5]) || !isDigit(bytes[at + 7])) {
    return BAD_VERSION;
  }
  return OTHER_VERSION;
}

/** `HTTP/x.y` CR LF, whatever x and y are. */
function isVersionLine(bytes: Buffer, at: number): boolean {
  return (
    bytes[at] === 0x48 &&
    bytes[at + 1] === 0x54 &&
    bytes[at + 2] === 0x54 &&
    bytes[at + 3] === 0x50 &&
    bytes[at + 4] === SLASH &&
    bytes[at + 6] === 0x2e &&
    bytes[at + 8] === CR &&
    bytes[at + 9] === LF
  );
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function methodOf(text: string, length: number): string {
  if (length === 3 && text.startsWith('GET')) return 'GET';
  if (length === 4 && text.startsWith('POST')) return 'POST';
  return text.slice(0, length);
}

function refusedMethod(method: string, allowConnect: boolean, framing: number): Refusal | null {
  switch (method) {
    case 'PRI':
      return PREFACE;
    case 'TRACE':
      return NO_TRACE;
    case 'CONNECT':
      if (!allowConnect) return NO_CONNECT;
      return framing === 0 ? null : CONNECT_BODY;
    default:
      return null;
  }
}

function withoutBlanks(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === SP || code === 0x09;
}
