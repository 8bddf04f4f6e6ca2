import type { HeaderBlock } from './head.ts';
import { isConnectionField, isLookAlike } from './names.ts';
import { equalsFolded, foldByte, isFieldValue, isToken } from './octets.ts';

/**
 * Where the fields of a received head are, three integers each: start of the line, end of the name, and
 * the tag. Lines are contiguous; behind the last field comes the end of its line. A value is found by
 * looking for it, since few are asked for.
 */
type FieldOffsets = number[];
/** Integers for each field in `FieldOffsets`. */
export const FIELD_STRIDE = 3;
/** Tag of a field that has been taken out. */
export const REMOVED = 0;

/**
 * Tag of a field: length, first and last letter of its name, and whether its line is written
 * `name: value` exactly (`tidy`). Never `REMOVED`.
 */
export function fieldTag(length: number, first: number, last: number, tidy: boolean): number {
  const key = ((length & 0x1fff) << 16) | (foldByte(first) << 8) | foldByte(last);
  return (key << 1) | (tidy ? 1 : 0);
}

/** First letter of the name, in lower case. */
export function tagFirst(tag: number): number {
  return (tag >> 9) & 0xff;
}

/** Last letter of the name, in lower case. */
export function tagLast(tag: number): number {
  return (tag >> 1) & 0xff;
}

/** Where the value of a line starts whose name ends at `nameEnd`. `lineEnd` is behind its CRLF. */
export function valueStart(text: string, nameEnd: number, lineEnd: number): number {
  let at = nameEnd + 1;
  while (at < lineEnd - 2 && isBlank(text.charCodeAt(at))) at++;
  return at;
}

/** Where the value that starts at `start` ends. */
export function valueEnd(text: string, start: number, lineEnd: number): number {
  let at = lineEnd - 2;
  while (at > start && isBlank(text.charCodeAt(at - 1))) at--;
  return at;
}

/** Bit of a field name in the set of names that may be present, made from the tag. */
export function tagBit(tag: number): number {
  const key = tag >> 1;
  return 1 << (((key >> 16) * 7 + (key >> 8) * 3 + key) & 31);
}

/**
 * Fields of a received head over its text: nothing is split off until someone asks, and untouched
 * lines are written again as whole slices. The text has been validated byte by byte by the parser, which
 * alone makes these; what is set later is validated on output.
 */
export class ReceivedHeaders implements HeaderBlock {
  readonly #text: string;
  #fields: FieldOffsets;
  #ownsFields: boolean;
  /** First and last of the added fields. */
  #added: AddedField | null;
  #last: AddedField | null;
  #mask: number;

  /** `mask` has the bit of every tag. Takes over `fields`. */
  constructor(text: string, fields: FieldOffsets, mask: number) {
    this.#text = text;
    this.#fields = fields;
    this.#ownsFields = true;
    this.#added = null;
    this.#last = null;
    this.#mask = mask;
  }

  get(name: string): string | null {
    const tag = tagOf(name);
    if ((this.#mask & tagBit(tag)) === 0) return null;
    const at = this.#find(name, tag, 0);
    if (at >= 0) return this.#value(at);
    for (let field = this.#added; field !== null; field = field.next) {
      if (equalsFolded(field.name, name)) return field.value;
    }
    return null;
  }

  set(name: string, value: string): void {
    this.remove(name);
    this.append(name, value);
  }

  append(name: string, value: string): void {
    const field = new AddedField(name, value);
    if (this.#last === null) this.#added = field;
    else this.#last.next = field;
    this.#last = field;
    this.#mask |= tagBit(tagOf(name));
  }

  remove(name: string): void {
    const tag = tagOf(name);
    if ((this.#mask & tagBit(tag)) === 0) return;
    for (let at = this.#find(name, tag, 0); at >= 0; at = this.#find(name, tag, at)) {
      if (!this.#ownsFields) {
        this.#fields = this.#fields.slice();
        this.#ownsFields = true;
      }
      this.#fields[at + 2] = REMOVED;
    }
    if (this.#added !== null) this.#keepAdded((field) => !equalsFolded(field.name, name));
  }

  forEach(visit: (name: string, value: string) => void): void {
    const fields = this.#fields;
    for (let i = 0; i < fields.length - 1; i += FIELD_STRIDE) {
      if (fields[i + 2] === REMOVED) continue;
      visit(this.#text.slice(fields[i], fields[i + 1]), this.#value(i));
    }
    for (let field = this.#added; field !== null; field = field.next) {
      visit(field.name, field.value);
    }
  }

  copy(): HeaderBlock {
    const copy = new ReceivedHeaders(this.#text, this.#fields, this.#mask);
    copy.#ownsFields = false;
    this.#ownsFields = false;
    copy.#added = this.#added;
    if (this.#added !== null) copy.#keepAdded(() => true);
    return copy;
  }

  /**
   * The field lines, each ended by CRLF, in order, or null when an added one cannot be written.
   * Connection fields that were added are left out: the writer makes its own.
   */
  lines(): string | null {
    const fields = this.#fields;
    const text = this.#text;
    const count = fields.length - 1;
    let lines = '';
    let from = -1;
    for (let i = 0; i < count; i += FIELD_STRIDE) {
      const tag = fields[i + 2] as number;
      if ((tag & 1) === 1) {
        if (from < 0) from = fields[i] as number;
        continue;
      }
      if (from >= 0) lines += text.slice(from, fields[i]);
      from = -1;
      if (tag === REMOVED) continue;
      lines += `${text.slice(fields[i], fields[i + 1])}: ${this.#value(i)}\r\n`;
    }
    if (from >= 0) lines += text.slice(from, fields[count]);
    for (let field = this.#added; field !== null; field = field.next) {
      const line = fieldLine(field.name, field.value);
      if (line === null) return null;
      lines += line;
    }
    return lines;
  }

  /** Value of the field at this offset. */
  #value(at: number): string {
    const lineEnd = this.#fields[at + FIELD_STRIDE] as number;
    const start = valueStart(this.#text, this.#fields[at + 1] as number, lineEnd);
    return this.#text.slice(start, valueEnd(this.#text, start, lineEnd));
  }

  /** Keeps copies of those added fields that `stay`. */
  #keepAdded(stay: (field: AddedField) => boolean): void {
    let field = this.#added;
    this.#added = null;
    this.#last = null;
    for (; field !== null; field = field.next) {
      if (!stay(field)) continue;
      const copy = new AddedField(field.name, field.value);
      if (this.#last === null) this.#added = copy;
      else this.#last.next = copy;
      this.#last = copy;
    }
  }

  /** Offset of the first field of that name behind the one at `after` (0: from the start), or -1. */
  #find(name: string, tag: number, after: number): number {
    const fields = this.#fields;
    for (let i = after; i < fields.length - 1; i += FIELD_STRIDE) {
      if (((fields[i + 2] as number) | 1) !== tag) continue;
      const start = fields[i] as number;
      if ((fields[i + 1] as number) - start !== name.length) continue;
      if (this.#nameAt(start, name)) return i;
    }
    return -1;
  }

  #nameAt(start: number, lower: string): boolean {
    const text = this.#text;
    for (let i = 0; i < lower.length; i++) {
      if (foldByte(text.charCodeAt(start + i)) !== lower.charCodeAt(i)) return false;
    }
    return true;
  }
}

/** A field set or appended here, in a list: most heads get one or two of them. */
class AddedField {
  readonly name: string;
  readonly value: string;
  next: AddedField | null = null;

  constructor(name: string, value: string) {
    this.name = name;
    this.value = value;
  }
}

/** Fields of a head that was made here, as a list of names and values. */
export class HeaderList implements HeaderBlock {
  readonly #pairs: string[];

  private constructor(pairs: string[]) {
    this.#pairs = pairs;
  }

  static of(fields: readonly (readonly [name: string, value: string])[] = []): HeaderList {
    const pairs: string[] = [];
    for (const [name, value] of fields) pairs.push(name, value);
    return new HeaderList(pairs);
  }

  get(name: string): string | null {
    const pairs = this.#pairs;
    for (let i = 0; i < pairs.length; i += 2) {
      if (equalsFolded(pairs[i] as string, name)) return pairs[i + 1] as string;
    }
    return null;
  }

  set(name: string, value: string): void {
    this.remove(name);
    this.append(name, value);
  }

  append(name: string, value: string): void {
    this.#pairs.push(name, value);
  }

  remove(name: string): void {
    removePairs(this.#pairs, name);
  }

  forEach(visit: (name: string, value: string) => void): void {
    const pairs = this.#pairs;
    for (let i = 0; i < pairs.length; i += 2) visit(pairs[i] as string, pairs[i + 1] as string);
  }

  copy(): HeaderBlock {
    return new HeaderList(this.#pairs.slice());
  }
}

/**
 * The field lines of any block, each ended by CRLF, in order; connection fields are left out. Null when
 * a name is no token or looks like a framing field, or a value holds a control byte: that is a bug of
 * whoever made it, and nothing of the message may be written.
 */
export function fieldLines(headers: HeaderBlock): string | null {
  if (headers instanceof ReceivedHeaders) return headers.lines();
  let lines: string | null = '';
  headers.forEach((name, value) => {
    if (lines === null) return;
    const line = fieldLine(name, value);
    lines = line === null ? null : lines + line;
  });
  return lines;
}

function fieldLine(name: string, value: string): string | null {
  const start = checkedNames.get(name) ?? checkName(name);
  if (start === null || !isFieldValue(value)) return null;
  return start === '' ? '' : `${start}${value}\r\n`;
}

/**
 * What a field line of that name begins with: `name: `, nothing for a connection field, or null when the
 * name cannot be written. The sidecar's own names come again with every message, so the first ones are kept.
 */
const checkedNames = new Map<string, string>();
const MAX_CHECKED_NAMES = 256;

function checkName(name: string): string | null {
  if (!isToken(name) || isLookAlike(name)) return null;
  const start = isConnectionField(name) ? '' : `${name}: `;
  if (checkedNames.size < MAX_CHECKED_NAMES) checkedNames.set(name, start);
  return start;
}

function tagOf(name: string): number {
  const length = name.length;
  return length === 0
    ? REMOVED
    : fieldTag(length, name.charCodeAt(0), name.charCodeAt(length - 1), true);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function removePairs(pairs: string[], name: string): void {
  let kept = 0;
  for (let i = 0; i < pairs.length; i += 2) {
    if (equalsFolded(pairs[i] as string, name)) continue;
    pairs[kept] = pairs[i] as string;
    pairs[kept + 1] = pairs[i + 1] as string;
    kept += 2;
  }
  pairs.length = kept;
}
