import {
  FIELD_STRIDE,
  REMOVED,
  tagFirst,
  tagLast,
  valueEnd,
  valueStart,
} from '../message/headers.ts';
import { isLookAlike, isUnremovable, mayLookAlike } from '../message/names.ts';
import { equalsFolded, foldAscii, foldByte, tokenBytes } from '../message/octets.ts';
import type { FieldLines } from './field-lines.ts';
import { type Coding, type FramingFields, readCoding, readLength } from './framing.ts';
import { type Refusal, refusal } from './refusal.ts';

const LOOK_ALIKE = refusal('a field name imitates a framing, Host or identity field');
const BAD_CONNECTION = refusal('Connection is not a list of tokens');
const NAMED_END_TO_END = refusal('Connection names a field that is not its to remove');

/**
 * What the fields of one head say about framing and the connection. Takes those fields out of the
 * block as it reads them, with whatever `Connection` names, so that nothing received as framing can be
 * sent on. Reused from head to head.
 */
export class KnownFields implements FramingFields {
  lengths = 0;
  length = -1;
  codings = 0;
  coding: Coding = 'none';
  hosts = 0;
  hostStart = 0;
  hostEnd = 0;
  /** Options of Connection. */
  close = false;
  keepAlive = false;
  upgradeOption = false;
  /** Value of the last Upgrade field; `upgradeEnd` is 0 without one. */
  upgradeStart = 0;
  upgradeEnd = 0;
  upgrades = 0;
  /** TE asks for trailers. */
  trailers = false;
  expects = 0;
  expectsContinue = false;
  /** `Keep-Alive: timeout=N`, or -1. */
  keepAliveSeconds = -1;
  #named: string[] | null = null;

  /** Reads the fields that `lines` found in `text`; the answer is null when they can be taken. */
  read(text: string, lines: FieldLines): Refusal | null {
    this.#clear();
    const offsets = lines.offsets;
    for (let i = 0; i < lines.used; i += FIELD_STRIDE) {
      const start = offsets[i] as number;
      const end = offsets[i + 1] as number;
      const tag = offsets[i + 2] as number;
      const known = classify(text, start, end, tagFirst(tag));
      if (known === ORDINARY) {
        if (!mayLookAlike(tagFirst(tag), tagLast(tag))) continue;
        if (isLookAlike(text, start, end)) return LOOK_ALIKE;
        continue;
      }
      const lineEnd = offsets[i + FIELD_STRIDE] as number;
      const from = valueStart(text, end, lineEnd);
      const refused = this.#take(known, text, from, valueEnd(text, from, lineEnd));
      if (refused !== null) return refused;
      if (known !== EXPECT) offsets[i + 2] = REMOVED;
    }
    if (this.#named !== null) removeNamed(this.#named, text, lines);
    return null;
  }

  #clear(): void {
    this.lengths = 0;
    this.codings = 0;
    this.hosts = 0;
    this.close = false;
    this.keepAlive = false;
    this.upgradeOption = false;
    this.upgradeEnd = 0;
    this.upgrades = 0;
    this.trailers = false;
    this.expects = 0;
    this.keepAliveSeconds = -1;
    this.#named = null;
  }

  #take(known: number, text: string, from: number, to: number): Refusal | null {
    switch (known) {
      case HOST:
        this.hosts++;
        this.hostStart = from;
        this.hostEnd = to;
        return null;
      case CONTENT_LENGTH:
        this.lengths++;
        this.length = readLength(text, from, to);
        return null;
      case TRANSFER_ENCODING:
        this.codings++;
        this.coding = readCoding(text, from, to);
        return null;
      case CONNECTION:
        return this.#connection(text, from, to);
      case UPGRADE:
        this.upgrades++;
        this.upgradeStart = from;
        this.upgradeEnd = to;
        return null;
      case TE:
        if (hasMember(text, from, to, 'trailers')) this.trailers = true;
        return null;
      case EXPECT:
        this.expects++;
        this.expectsContinue = equalsFolded(text.slice(from, to), '100-continue');
        return null;
      case KEEP_ALIVE:
        this.keepAliveSeconds = timeoutOf(text, from, to);
        return null;
      default:
        return null;
    }
  }

  #connection(text: string, from: number, to: number): Refusal | null {
    if (to - from === 10 && is(text, from, 'keep-alive')) {
      this.keepAlive = true;
      return null;
    }
    let at = from;
    while (at < to) {
      const code = text.charCodeAt(at);
      if (isBlank(code) || code === COMMA) {
        at++;
        continue;
      }
      const start = at;
      while (at < to && tokenBytes[text.charCodeAt(at)] === 1) at++;
      if (at === start) return BAD_CONNECTION;
      const refused = this.#option(foldAscii(text.slice(start, at)));
      if (refused !== null) return refused;
      while (at < to && isBlank(text.charCodeAt(at))) at++;
      if (at < to && text.charCodeAt(at) !== COMMA) return BAD_CONNECTION;
    }
    return null;
  }

  #option(option: string): Refusal | null {
    if (option === 'close') this.close = true;
    else if (option === 'keep-alive') this.keepAlive = true;
    else if (option === 'upgrade') this.upgradeOption = true;
    else if (isUnremovable(option)) return NAMED_END_TO_END;
    else if (option !== 'te') {
      if (this.#named === null) this.#named = [];
      this.#named.push(option);
    }
    return null;
  }
}

const ORDINARY = 0;
const HOST = 1;
const CONTENT_LENGTH = 2;
const TRANSFER_ENCODING = 3;
const CONNECTION = 4;
const KEEP_ALIVE = 5;
const PROXY_CONNECTION = 6;
const TE = 7;
const UPGRADE = 8;
const EXPECT = 9;
const HTTP2_SETTINGS = 10;

const COMMA = 0x2c;

/** Which known field the name is; `first` is its first letter, in lower case. */
function classify(text: string, start: number, end: number, first: number): number {
  switch (end - start) {
    case 2:
      return first === 0x74 && is(text, start, 'te') ? TE : ORDINARY;
    case 4:
      return first === 0x68 && is(text, start, 'host') ? HOST : ORDINARY;
    case 6:
      return first === 0x65 && is(text, start, 'expect') ? EXPECT : ORDINARY;
    case 7:
      return first === 0x75 && is(text, start, 'upgrade') ? UPGRADE : ORDINARY;
    case 10:
      if (first === 0x63 && is(text, start, 'connection')) return CONNECTION;
      return first === 0x6b && is(text, start, 'keep-alive') ? KEEP_ALIVE : ORDINARY;
    case 14:
      if (first === 0x63 && is(text, start, 'content-length')) return CONTENT_LENGTH;
      return first === 0x68 && is(text, start, 'http2-settings') ? HTTP2_SETTINGS : ORDINARY;
    case 16:
      return first === 0x70 && is(text, start, 'proxy-connection') ? PROXY_CONNECTION : ORDINARY;
    case 17:
      return first === 0x74 && is(text, start, 'transfer-encoding') ? TRANSFER_ENCODING : ORDINARY;
    default:
      return ORDINARY;
  }
}

function is(text: string, start: number, lower: string): boolean {
  for (let i = 0; i < lower.length; i++) {
    if (foldByte(text.charCodeAt(start + i)) !== lower.charCodeAt(i)) return false;
  }
  return true;
}

function removeNamed(named: readonly string[], text: string, lines: FieldLines): void {
  const names = new Set(named);
  const offsets = lines.offsets;
  for (let i = 0; i < lines.used; i += FIELD_STRIDE) {
    if (names.has(foldAscii(text.slice(offsets[i], offsets[i + 1])))) offsets[i + 2] = REMOVED;
  }
}

/** Whether a comma-separated value has the member, without regard to case. */
function hasMember(text: string, from: number, to: number, lower: string): boolean {
  let at = from;
  while (at < to) {
    let end = text.indexOf(',', at);
    if (end < 0 || end > to) end = to;
    let start = at;
    at = end + 1;
    while (start < end && isBlank(text.charCodeAt(start))) start++;
    while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
    if (end - start === lower.length && is(text, start, lower)) return true;
  }
  return false;
}

const MAX_TIMEOUT_DIGITS = 6;

/** Seconds of `timeout=N` in a Keep-Alive value, or -1. */
function timeoutOf(text: string, from: number, to: number): number {
  const name = 'timeout=';
  let at = from;
  while (at + name.length < to && !is(text, at, name)) at++;
  let seconds = 0;
  let digits = 0;
  for (let i = at + name.length; i < to && digits <= MAX_TIMEOUT_DIGITS; i++, digits++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) break;
    seconds = seconds * 10 + digit;
  }
  return digits === 0 || digits > MAX_TIMEOUT_DIGITS ? -1 : seconds;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
