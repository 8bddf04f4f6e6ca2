import { FIELD_STRIDE, fieldTag, tagBit } from '../message/headers.ts';
import { tokenBytes } from '../message/octets.ts';
import { type Refusal, refusal, tooLarge } from './refusal.ts';

/** More bytes are needed. */
export const INCOMPLETE = -1;
/** Not taken; the reason is in `refused`. */
export const REFUSED = -2;

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HTAB = 0x09;
const COLON = 0x3a;
const DEL = 0x7f;

const BARE_CR = refusal('a CR is not followed by LF');
const NO_COLON = refusal('a field line has no colon behind its name');
const SPACE_BEFORE_COLON = refusal('whitespace before the colon of a field line');
const FOLDED = refusal('a line starts with whitespace (obs-fold)');
const NO_NAME = refusal('a field line has an empty name');
const BAD_NAME = refusal('a field name holds a byte that no token has');
const BARE_LF = refusal('a line ends in a bare LF');
const BAD_VALUE = refusal('a field value holds a control byte');
const LONG_LINE = tooLarge('a field line is over its limit', 'maxLineBytes');
const MANY_FIELDS = tooLarge('there are more fields than the limit', 'maxFields');

/** Why this byte cannot be part of a field value. */
export function badValueByte(byte: number): Refusal {
  return byte === LF ? BARE_LF : byte === CR ? BARE_CR : BAD_VALUE;
}

/** The refusals that a scan of an unfinished head finds as well. */
export const lineRefusals = { BARE_CR, FOLDED, LONG_LINE } as const;

/**
 * Finds the field lines of one section and checks every byte of them (RFC 9112 §5): CRLF alone ends a
 * line, no folding, no whitespace before the colon. Reused from section to section, since heads are read
 * to their end without a pause.
 */
export class FieldLines {
  /** Three integers for each field and the end of the last line (`FieldOffsets`), relative to `origin`. */
  readonly offsets: number[] = [];
  /** Integers in use for fields: the end of the last line is at this index. */
  used = 0;
  /** Bits of all tags. */
  mask = 0;
  refused: Refusal | null = null;

  /** A copy of the offsets, for a block of its own. */
  copy(): number[] {
    return this.offsets.slice(0, this.used + 1);
  }

  /**
   * Reads from `at` to the empty line and returns the position behind it, or `INCOMPLETE` or
   * `REFUSED`. `end` is where the bytes end.
   */
  read(
    bytes: Buffer,
    origin: number,
    at: number,
    end: number,
    maxLineBytes: number,
    maxFields: number,
  ): number {
    const offsets = this.offsets;
    // A local: a table behind an import is looked up again for every byte.
    const nameBytes = tokenBytes;
    const maxUsed = maxFields * FIELD_STRIDE;
    let used = 0;
    let mask = 0;
    let p = at;
    for (;;) {
      if (p >= end) return INCOMPLETE;
      const start = p;
      const first = bytes[p] as number;
      if (first === CR) {
        if (p + 1 >= end) return INCOMPLETE;
        if (bytes[p + 1] !== LF) return this.#refuse(BARE_CR);
        offsets[used] = p - origin;
        this.used = used;
        this.mask = mask;
        return p + 2;
      }
      while (p < end && nameBytes[bytes[p] as number] === 1) p++;
      if (p >= end) return p - start > maxLineBytes ? this.#refuse(LONG_LINE) : INCOMPLETE;
      if (bytes[p] !== COLON || p === start) return this.#refuse(badName(bytes, start, p, end));
      const nameEnd = p;
      p++;
      while (p < end && (bytes[p] === SP || bytes[p] === HTAB)) p++;
      const valueStart = p;
      while (p < end && isValueByte(bytes[p] as number)) p++;
      if (p - start > maxLineBytes) return this.#refuse(LONG_LINE);
      if (p >= end) return INCOMPLETE;
      if (bytes[p] !== CR) return this.#refuse(badValueByte(bytes[p] as number));
      if (p + 1 >= end) return INCOMPLETE;
      if (bytes[p + 1] !== LF) return this.#refuse(BARE_CR);
      let valueEnd = p;
      while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1] as number)) valueEnd--;
      const tidy =
        valueEnd === p &&
        (valueStart === nameEnd + 2
          ? bytes[nameEnd + 1] === SP
          : valueStart === p && p === nameEnd + 1);
      p += 2;
      if (p - start > maxLineBytes) return this.#refuse(LONG_LINE);
      if (used >= maxUsed) return this.#refuse(MANY_FIELDS);
      const tag = fieldTag(nameEnd - start, first, bytes[nameEnd - 1] as number, tidy);
      mask |= tagBit(tag);
      offsets[used] = start - origin;
      offsets[used + 1] = nameEnd - origin;
      offsets[used + 2] = tag;
      used += FIELD_STRIDE;
    }
  }

  #refuse(reason: Refusal): number {
    this.refused = reason;
    return REFUSED;
  }
}

function badName(bytes: Buffer, start: number, at: number, end: number): Refusal {
  const byte = bytes[at] as number;
  if (isBlank(byte)) {
    if (at === start) return FOLDED;
    let p = at;
    while (p < end && isBlank(bytes[p] as number)) p++;
    return p < end && bytes[p] === COLON ? SPACE_BEFORE_COLON : NO_COLON;
  }
  if (byte === COLON) return NO_NAME;
  if (byte === LF) return BARE_LF;
  return byte === CR ? NO_COLON : BAD_NAME;
}

/** The same as `fieldBytes`: two comparisons are faster than a table, and values are most of a head. */
function isValueByte(byte: number): boolean {
  return byte >= SP ? byte !== DEL : byte === HTAB;
}

function isBlank(byte: number): boolean {
  return byte === SP || byte === HTAB;
}
