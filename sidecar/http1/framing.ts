import { equalsFolded, tokenBytes } from '../message/octets.ts';
import { type Refusal, refusal } from './refusal.ts';

/** Length of a body that says itself where it ends. */
export const CHUNKED = -1;
/** Length of a response body that ends with its connection. */
export const UNTIL_CLOSE = -2;

/** No body and no framing fields: nothing may follow, or a tunnel does. Only for writing. */
export const NO_BODY = -3;

/** What Transfer-Encoding asks for. */
export type Coding = 'none' | 'chunked' | 'other' | 'invalid';

/** The framing fields of one head, counted before any field is removed. */
export interface FramingFields {
  /** Content-Length fields, and the value of the last: bytes, or -1 when it is no such number. */
  readonly lengths: number;
  readonly length: number;
  /** Transfer-Encoding fields, and what the last asks for. */
  readonly codings: number;
  readonly coding: Coding;
}

const BOTH = refusal('both Content-Length and Transfer-Encoding');
const TWO_LENGTHS = refusal('more than one Content-Length');
const BAD_LENGTH = refusal('Content-Length is not one decimal number');
const TWO_CODINGS = refusal('more than one Transfer-Encoding');
const OLD_CODING = refusal('Transfer-Encoding in an HTTP/1.0 message');
const UNKNOWN_CODING = refusal('a Transfer-Encoding other than chunked', 501);
const BAD_CODING = refusal('Transfer-Encoding is not a list that ends in chunked');

/**
 * Decides how long a request body is before any of it is read (RFC 9112 §6.3): bytes, or `CHUNKED`.
 * A message with both framings, or with either twice, is refused, never guessed at.
 */
export function requestFraming(fields: FramingFields, old: boolean): number | Refusal {
  if (fields.lengths === 0 && fields.codings === 0) return 0;
  const refused = ambiguous(fields, old);
  if (refused !== null) return refused;
  return fields.codings === 1 ? CHUNKED : fields.length;
}

/**
 * The same for a response that may have a body: bytes, `CHUNKED` or `UNTIL_CLOSE`. Answers to HEAD
 * and CONNECT, 1xx, 204 and 304 have none whatever their fields say; do not ask for them.
 */
export function responseFraming(fields: FramingFields, old: boolean): number | Refusal {
  if (fields.lengths === 0 && fields.codings === 0) return UNTIL_CLOSE;
  const refused = ambiguous(fields, old);
  if (refused !== null) return refused;
  return fields.codings === 1 ? CHUNKED : fields.length;
}

function ambiguous(fields: FramingFields, old: boolean): Refusal | null {
  if (fields.codings > 0) {
    if (fields.lengths > 0) return BOTH;
    if (fields.codings > 1) return TWO_CODINGS;
    if (fields.coding === 'invalid') return BAD_CODING;
    if (old) return OLD_CODING;
    return fields.coding === 'chunked' ? null : UNKNOWN_CODING;
  }
  if (fields.lengths > 1) return TWO_LENGTHS;
  return fields.length < 0 ? BAD_LENGTH : null;
}

/** Largest length that is counted exactly: 2^53 − 1. */
const MAX_LENGTH = Number.MAX_SAFE_INTEGER;
const MAX_DIGITS = 16;

/** Decimal digits without sign, list or leading zero, at most 2^53 − 1; -1 for anything else. */
export function readLength(text: string, from: number, to: number): number {
  const digits = to - from;
  if (digits < 1 || digits > MAX_DIGITS) return -1;
  if (digits > 1 && text.charCodeAt(from) === 0x30) return -1;
  let length = 0;
  for (let i = from; i < to; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length > MAX_LENGTH ? -1 : length;
}

/**
 * Reads a Transfer-Encoding value. A list of other codings is well formed but not ours (501); one in
 * which chunked is repeated or not last has no length at all (RFC 9112 §6.3 rule 4).
 */
export function readCoding(text: string, from: number, to: number): Coding {
  if (to - from === 7 && equalsFolded(text.slice(from, to), 'chunked')) return 'chunked';
  let at = from;
  for (;;) {
    const start = at;
    while (at < to && tokenBytes[text.charCodeAt(at)] === 1) at++;
    if (at === start) return 'invalid';
    if (equalsFolded(text.slice(start, at), 'chunked') && at !== to) return 'invalid';
    if (at === to) return 'other';
    at = skipBlank(text, at, to);
    if (at === to || text.charCodeAt(at) !== 0x2c) return 'invalid';
    at = skipBlank(text, at + 1, to);
  }
}

function skipBlank(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && (text.charCodeAt(at) === 0x20 || text.charCodeAt(at) === 0x09)) at++;
  return at;
}
