import { fieldBytes, tokenBytes } from '../message/octets.ts';
import { badValueByte, INCOMPLETE, lineRefusals, REFUSED } from './field-lines.ts';
import type { Http1Limits } from './limits.ts';
import { MAX_METHOD_BYTES, requestLineRefusals } from './parse-request.ts';
import { statusLineRefusals } from './parse-response.ts';
import type { Refusal } from './refusal.ts';
import { trailerRefusals } from './trailers.ts';

/** What reads a complete section: heads of both kinds, trailers. */
interface SectionParser {
  refused: Refusal | null;
  parse(bytes: Buffer, from: number, end: number): number;
}

type Section = 'request' | 'response' | 'trailers';

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HTAB = 0x09;
const FIRST_BYTES = 1024;
/** Method, version, spaces and line end around a target. */
const AROUND_TARGET = MAX_METHOD_BYTES + 12;
const STATUS_LINE_START = Buffer.from('HTTP/1.', 'latin1');

/**
 * Lets a head arrive in pieces. One that is complete is parsed where it lies. Otherwise its bytes are
 * copied here, up to the limit, and only new bytes are looked at until the empty line has come: work
 * stays linear when they drip, and a bare CR or LF, a NUL or a start that can be no message is refused
 * at once and not when time is up.
 */
export class HeadReader {
  readonly #parser: SectionParser;
  readonly #section: Section;
  readonly #limits: Http1Limits;
  readonly #maxBytes: number;
  #pending: Buffer | null = null;
  #length = 0;
  /** The scan: next byte, start of its line, whether the start line is over. */
  #at = 0;
  #lineStart = 0;
  #inStartLine = true;
  #inMethod = true;
  refused: Refusal | null = null;

  constructor(parser: SectionParser, section: Section, limits: Http1Limits) {
    this.#parser = parser;
    this.#section = section;
    this.#limits = limits;
    // Before a request one empty line may come that is not part of it.
    this.#maxBytes = section === 'trailers' ? limits.maxTrailerBytes : limits.maxHeadBytes + 2;
  }

  /** Bytes kept of an unfinished head. */
  get pendingBytes(): number {
    return this.#length;
  }

  /**
   * Reads from `from`. Returns the position behind the head, `INCOMPLETE` when every byte was taken
   * and more are needed, or `REFUSED` with the reason in `refused`.
   */
  read(bytes: Buffer, from: number): number {
    if (this.#length > 0) return this.#continue(bytes, from);
    const end = this.#parser.parse(bytes, from, bytes.length);
    if (end === REFUSED) this.refused = this.#parser.refused;
    if (end !== INCOMPLETE) return end;
    this.#at = 0;
    this.#lineStart = 0;
    this.#inStartLine = this.#section !== 'trailers';
    this.#inMethod = this.#section === 'request';
    return this.#continue(bytes, from);
  }

  /** Forgets an unfinished head. */
  clear(): void {
    this.#pending = null;
    this.#length = 0;
  }

  #continue(bytes: Buffer, from: number): number {
    const before = this.#length;
    const room = this.#maxBytes + 1 - before;
    const taken = Math.min(bytes.length - from, room);
    this.#keep(bytes, from, taken);
    const pending = this.#pending as Buffer;
    const scanned = this.#scan(pending);
    if (scanned === REFUSED) return REFUSED;
    if (scanned === INCOMPLETE) {
      return this.#length > this.#maxBytes ? this.#refuse(this.#longHead()) : INCOMPLETE;
    }
    const end = this.#parser.parse(pending, 0, scanned);
    this.clear();
    if (end === INCOMPLETE) return this.#refuse(this.#badStart());
    if (end === REFUSED) return this.#refuse(this.#parser.refused as Refusal);
    return from + end - before;
  }

  #keep(bytes: Buffer, from: number, count: number): void {
    const length = this.#length + count;
    if (this.#pending === null || this.#pending.length < length) {
      const size = Math.min(Math.max(FIRST_BYTES, length * 2), this.#maxBytes + 1);
      const grown = Buffer.allocUnsafeSlow(size);
      if (this.#pending !== null) this.#pending.copy(grown, 0, 0, this.#length);
      this.#pending = grown;
    }
    bytes.copy(this.#pending, this.#length, from, from + count);
    this.#length = length;
  }

  /** Looks at the bytes not yet seen; the position behind the empty line, or why there is none. */
  #scan(pending: Buffer): number {
    const end = this.#length;
    let at = this.#at;
    while (at < end) {
      const byte = pending[at] as number;
      if (byte === CR) {
        if (at + 1 === end) break;
        if (pending[at + 1] !== LF) return this.#refuse(lineRefusals.BARE_CR);
        at += 2;
        const inStartLine = this.#inStartLine;
        if (this.#lineEnded(at)) return at;
        // What follows a start line that is none need not be waited for.
        if (inStartLine && !this.#inStartLine && this.#parser.parse(pending, 0, at) === REFUSED) {
          return this.#refuse(this.#parser.refused as Refusal);
        }
        continue;
      }
      if (fieldBytes[byte] !== 1) return this.#refuse(badValueByte(byte));
      const refused = this.#inStartLine ? this.#startByte(byte, at) : this.#fieldByte(byte, at);
      if (refused !== null) return this.#refuse(refused);
      at++;
    }
    this.#at = at;
    return INCOMPLETE;
  }

  /** Whether the line that ends before `at` was the empty one that ends the section. */
  #lineEnded(at: number): boolean {
    const empty = at - this.#lineStart === 2;
    this.#lineStart = at;
    if (!this.#inStartLine) return empty;
    // An empty line before a request line is skipped by the parser, which counts them.
    if (empty) return at > 2 || this.#section !== 'request';
    this.#inStartLine = false;
    return false;
  }

  #startByte(byte: number, at: number): Refusal | null {
    const column = at - this.#lineStart;
    if (this.#section === 'response') {
      if (column < STATUS_LINE_START.length && byte !== STATUS_LINE_START[column]) {
        return statusLineRefusals.BAD_STATUS_LINE;
      }
      return column < this.#limits.maxLineBytes ? null : statusLineRefusals.LONG_STATUS_LINE;
    }
    if (this.#inMethod) {
      if (byte === SP && column > 0) this.#inMethod = false;
      else if (tokenBytes[byte] !== 1) return requestLineRefusals.BAD_METHOD;
      else if (column >= MAX_METHOD_BYTES) return requestLineRefusals.LONG_METHOD;
    }
    return column < this.#limits.maxTargetBytes + AROUND_TARGET
      ? null
      : requestLineRefusals.LONG_TARGET;
  }

  #fieldByte(byte: number, at: number): Refusal | null {
    const column = at - this.#lineStart;
    if (column === 0 && (byte === SP || byte === HTAB)) return lineRefusals.FOLDED;
    return column < this.#limits.maxLineBytes ? null : lineRefusals.LONG_LINE;
  }

  #longHead(): Refusal {
    if (this.#section === 'request') return requestLineRefusals.LONG_HEAD;
    return this.#section === 'response'
      ? statusLineRefusals.LONG_HEAD
      : trailerRefusals.LONG_TRAILERS;
  }

  #badStart(): Refusal {
    return this.#section === 'response'
      ? statusLineRefusals.BAD_STATUS_LINE
      : requestLineRefusals.BAD_METHOD;
  }

  #refuse(reason: Refusal): number {
    this.refused = reason;
    this.clear();
    return REFUSED;
  }
}
