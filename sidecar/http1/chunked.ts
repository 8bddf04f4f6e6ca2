import type { Party } from '../message/exchange.ts';
import type { HeaderBlock } from '../message/head.ts';
import { fieldLines } from '../message/headers.ts';
import { fieldBytes, tokenBytes } from '../message/octets.ts';
import type { Transport } from '../transport/transport.ts';
import { INCOMPLETE, REFUSED } from './field-lines.ts';
import { HeadReader } from './head-reader.ts';
import type { Http1Limits } from './limits.ts';
import { type Refusal, refusal } from './refusal.ts';
import { TrailerParser } from './trailers.ts';

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HTAB = 0x09;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Where in the coding the next byte is (RFC 9112 §7.1). The order is that of a chunk. */
const SIZE = 0;
/** Whitespace behind the size or an extension: only `;` may follow. */
const BEFORE_SEMICOLON = 1;
const BEFORE_NAME = 2;
const NAME = 3;
/** Whitespace behind an extension name: `=` or `;` may follow. */
const AFTER_NAME = 4;
const BEFORE_VALUE = 5;
const VALUE = 6;
const QUOTED = 7;
const QUOTED_PAIR = 8;
/** Behind a quoted value. */
const AFTER_QUOTED = 9;
const LINE_END = 10;
const DATA = 11;
const DATA_CR = 12;
const DATA_LF = 13;
const TRAILERS = 14;
const DONE = 15;

const MAX_SIZE_DIGITS = 16;

const NO_SIZE = refusal('a chunk line does not start with a hexadecimal size');
const LONG_SIZE = refusal('a chunk size has more than 16 digits or is over 2^53 - 1');
const BAD_EXTENSION = refusal('a chunk extension breaks its grammar');
const LONG_CHUNK_LINE = refusal('a chunk line is over its limit');
const LONG_EXTENSIONS = refusal('the chunk extensions of the body are over their limit');
const BAD_LINE_END = refusal('a chunk line does not end in CRLF');
const BAD_DATA_END = refusal('chunk data is not followed by CRLF');

/**
 * Reads the chunked coding (RFC 9112 §7.1), however it is cut into pieces. Extensions are checked and
 * dropped. Data is handed on as slices of what came in, never copied.
 */
export class ChunkedDecoder {
  readonly #limits: Http1Limits;
  readonly #parser: TrailerParser;
  readonly #trailers: HeadReader;
  #state = DONE;
  #size = 0;
  #digits = 0;
  #lineBytes = 0;
  #extensionBytes = 0;
  /** The sink asked to wait during the last `read`. */
  blocked = false;
  refused: Refusal | null = null;

  constructor(limits: Http1Limits) {
    this.#limits = limits;
    this.#parser = new TrailerParser(limits);
    this.#trailers = new HeadReader(this.#parser, 'trailers', limits);
  }

  get done(): boolean {
    return this.#state === DONE;
  }

  /** Trailers of the message that is done, or null. */
  get trailers(): HeaderBlock | null {
    return this.#parser.trailers;
  }

  start(): void {
    this.#parser.trailers = null;
    this.#trailers.clear();
    this.#extensionBytes = 0;
    this.refused = null;
    this.#startChunk();
  }

  /** Reads from `from`. Returns the position reached, which is the end unless `done`, or `REFUSED`. */
  read(bytes: Buffer, from: number, sink: Party): number {
    this.blocked = false;
    const end = bytes.length;
    let at = from;
    while (at < end && this.#state !== DONE) {
      if (this.#state === DATA) at = this.#data(bytes, at, sink);
      else if (this.#state === TRAILERS) {
        const behind = this.#trailers.read(bytes, at);
        if (behind === INCOMPLETE) return end;
        if (behind === REFUSED) return this.#refuse(this.#trailers.refused as Refusal);
        this.#state = DONE;
        at = behind;
      } else if (this.#step(bytes[at] as number)) at++;
      else return REFUSED;
    }
    return at;
  }

  #data(bytes: Buffer, at: number, sink: Party): number {
    const end = Math.min(bytes.length, at + this.#size);
    this.#size -= end - at;
    if (this.#size === 0) this.#state = DATA_CR;
    if (!sink.data(bytes.subarray(at, end))) this.blocked = true;
    return end;
  }

  /** Takes one byte of the coding; false when it is refused. */
  #step(byte: number): boolean {
    if (this.#state === DATA_CR) {
      if (byte !== CR) return this.#fail(BAD_DATA_END);
      this.#state = DATA_LF;
      return true;
    }
    if (this.#state === DATA_LF) {
      if (byte !== LF) return this.#fail(BAD_DATA_END);
      this.#startChunk();
      return true;
    }
    if (this.#state === LINE_END) return this.#endLine(byte);
    this.#lineBytes++;
    if (this.#state === SIZE) return this.#sizeByte(byte);
    if (byte !== CR) {
      if (this.#lineBytes > this.#limits.maxChunkLineBytes) return this.#fail(LONG_CHUNK_LINE);
      this.#extensionBytes++;
      if (this.#extensionBytes > this.#limits.maxChunkExtensionBytes) {
        return this.#fail(LONG_EXTENSIONS);
      }
    }
    return this.#extensionByte(byte);
  }

  #startChunk(): void {
    this.#state = SIZE;
    this.#size = 0;
    this.#digits = 0;
    this.#lineBytes = 0;
  }

  #sizeByte(byte: number): boolean {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#digits++;
      this.#size = this.#size * 16 + digit;
      if (this.#digits > MAX_SIZE_DIGITS || this.#size > Number.MAX_SAFE_INTEGER) {
        return this.#fail(LONG_SIZE);
      }
      return true;
    }
    if (this.#digits === 0) return this.#fail(NO_SIZE);
    if (byte === CR) this.#state = LINE_END;
    else if (byte === SEMICOLON) this.#state = BEFORE_NAME;
    else if (isBlank(byte)) this.#state = BEFORE_SEMICOLON;
    else return this.#fail(byte === LF ? BAD_LINE_END : NO_SIZE);
    if (byte !== CR) this.#extensionBytes++;
    return true;
  }

  /** `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )`, RFC 9112 §7.1.1. */
  #extensionByte(byte: number): boolean {
    switch (this.#state) {
      case BEFORE_SEMICOLON:
      case AFTER_QUOTED:
        if (byte === SEMICOLON) this.#state = BEFORE_NAME;
        else if (byte === CR && this.#state === AFTER_QUOTED) this.#state = LINE_END;
        else if (isBlank(byte)) this.#state = BEFORE_SEMICOLON;
        else return this.#fail(BAD_EXTENSION);
        return true;
      case BEFORE_NAME:
        if (tokenBytes[byte] === 1) this.#state = NAME;
        else if (!isBlank(byte)) return this.#fail(BAD_EXTENSION);
        return true;
      case NAME:
      case AFTER_NAME:
        if (this.#state === NAME && tokenBytes[byte] === 1) return true;
        if (byte === EQUALS) this.#state = BEFORE_VALUE;
        else if (byte === SEMICOLON) this.#state = BEFORE_NAME;
        else if (isBlank(byte)) this.#state = AFTER_NAME;
        else if (byte === CR && this.#state === NAME) this.#state = LINE_END;
        else return this.#fail(BAD_EXTENSION);
        return true;
      case BEFORE_VALUE:
        if (tokenBytes[byte] === 1) this.#state = VALUE;
        else if (byte === QUOTE) this.#state = QUOTED;
        else if (!isBlank(byte)) return this.#fail(BAD_EXTENSION);
        return true;
      case VALUE:
        if (tokenBytes[byte] === 1) return true;
        if (byte === CR) this.#state = LINE_END;
        else if (byte === SEMICOLON) this.#state = BEFORE_NAME;
        else if (isBlank(byte)) this.#state = BEFORE_SEMICOLON;
        else return this.#fail(BAD_EXTENSION);
        return true;
      default:
        return this.#quotedByte(byte);
    }
  }

  #quotedByte(byte: number): boolean {
    if (fieldBytes[byte] !== 1) return this.#fail(BAD_EXTENSION);
    if (this.#state === QUOTED_PAIR) this.#state = QUOTED;
    else if (byte === BACKSLASH) this.#state = QUOTED_PAIR;
    else if (byte === QUOTE) this.#state = AFTER_QUOTED;
    return true;
  }

  #endLine(byte: number): boolean {
    if (byte !== LF) return this.#fail(BAD_LINE_END);
    this.#state = this.#size === 0 ? TRAILERS : DATA;
    return true;
  }

  #fail(reason: Refusal): false {
    this.refused = reason;
    return false;
  }

  #refuse(reason: Refusal): number {
    this.refused = reason;
    return REFUSED;
  }
}

/** Writes one chunk; nothing for no bytes, since an empty chunk would end the body. */
export function writeChunk(transport: Transport, bytes: Buffer): boolean {
  if (bytes.length === 0) return true;
  transport.write(`${bytes.length.toString(16)}\r\n`);
  transport.write(bytes);
  return transport.write('\r\n');
}

/** The end of a chunked body with its trailers; null when one of them cannot be written. */
export function lastChunk(trailers: HeaderBlock | null): string | null {
  if (trailers === null) return '0\r\n\r\n';
  const lines = fieldLines(trailers);
  return lines === null ? null : `0\r\n${lines}\r\n`;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const folded = byte | 0x20;
  return folded >= 0x61 && folded <= 0x66 ? folded - 0x57 : -1;
}

function isBlank(byte: number): boolean {
  return byte === SP || byte === HTAB;
}
