import { equalsFolded } from './octets.ts';

/**
 * Field names that mean something to a proxy, by what they mean. All tests take the name in any
 * case; all tables are closed lists, so a client-chosen name is only ever looked up.
 */

/** Fields of one connection (RFC 9110 §7.6.1) and of framing: taken by the reading codec, written anew. */
const connectionFields = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'upgrade',
  'http2-settings',
  'transfer-encoding',
  'content-length',
  'host',
] as const;
const connectionFieldLengths = new Set<number>(connectionFields.map((name) => name.length));

/** What `Connection` may never name: removing it would change who, where or how long a message is, or what it waits for. */
const unremovable = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'trailer',
  'expect',
  'authorization',
  'proxy-authorization',
  'www-authenticate',
  'proxy-authenticate',
  'authentication-info',
  'proxy-authentication-info',
  'cookie',
  'set-cookie',
  'forwarded',
  'via',
  'x-real-ip',
  'traceparent',
  'tracestate',
  'baggage',
  'b3',
  'x-request-id',
]);
const unremovablePrefixes = ['x-forwarded-', 'x-b3-', 'outrigger-'];

/** What may not come late (RFC 9110 §6.5.1): framing, routing, modifiers, authentication, content. */
const headOnly = new Set([
  ...connectionFields,
  ...unremovable,
  'max-forwards',
  'range',
  'cache-control',
  'pragma',
  'age',
  'expires',
  'date',
  'location',
  'retry-after',
  'vary',
  'warning',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
]);
const headOnlyPrefixes = [...unremovablePrefixes, 'content-'];

/** Read as the real field by lenient parsers when their `-` are dropped, moved or swapped. */
const imitated = [
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'x-forwarded-client-cert',
] as const;

/** The field belongs to one connection or to framing and never crosses the seam. */
export function isConnectionField(name: string): boolean {
  if (!connectionFieldLengths.has(name.length)) return false;
  for (const field of connectionFields) if (equalsFolded(name, field)) return true;
  return false;
}

/** `Connection` must not name this field. `lower` is in lower case. */
export function isUnremovable(lower: string): boolean {
  return unremovable.has(lower) || startsWithAny(lower, unremovablePrefixes);
}

/** The field is dropped from trailers. `lower` is in lower case. */
export function isHeadOnly(lower: string): boolean {
  return headOnly.has(lower) || startsWithAny(lower, headOnlyPrefixes);
}

/** Which of `imitated`, as bits, starts or ends with a byte; a separator may stand before or behind any. */
const imitatedFirst = imitatedBits((name) => name.charCodeAt(0));
const imitatedLast = imitatedBits((name) => name.charCodeAt(name.length - 1));

function imitatedBits(byteOf: (name: string) => number): Uint8Array {
  const bits = new Uint8Array(256);
  for (const separator of ['-', '_', '.']) bits[separator.charCodeAt(0)] = 0xff;
  for (let i = 0; i < imitated.length; i++) {
    const byte = byteOf(imitated[i] as string);
    bits[byte] = (bits[byte] as number) | (1 << i);
  }
  return bits;
}

/** Whether a name with these first and last bytes, in lower case, is worth asking `isLookAlike`: few are. */
export function mayLookAlike(first: number, last: number): boolean {
  return ((imitatedFirst[first] as number) & (imitatedLast[last] as number)) !== 0;
}

/**
 * The name, once `-`, `_` and `.` are ignored, is that of a framing, Host or identity field, without
 * being that name (`Content_Length`). Some parsers behind us would read it as the real one. The
 * name is `text` from `from` to `to`.
 */
export function isLookAlike(text: string, from = 0, to = text.length): boolean {
  let start = from;
  let end = to;
  while (start < end && isSeparator(text.charCodeAt(start))) start++;
  while (end > start && isSeparator(text.charCodeAt(end - 1))) end--;
  if (start === end) return false;
  const first = text.charCodeAt(start) | 0x20;
  if (first !== 0x68 && first !== 0x63 && first !== 0x74 && first !== 0x78) return false;
  const last = text.charCodeAt(end - 1) | 0x20;
  for (const name of imitated) {
    if (name.charCodeAt(0) !== first || name.charCodeAt(name.length - 1) !== last) continue;
    if (sameLetters(text, start, end, name)) return !equalsFolded(text.slice(from, to), name);
  }
  return false;
}

function sameLetters(text: string, from: number, to: number, name: string): boolean {
  let at = 0;
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i);
    if (isSeparator(code)) continue;
    if (name.charCodeAt(at) === 0x2d) at++;
    if (at >= name.length || (code | 0x20) !== name.charCodeAt(at)) return false;
    at++;
  }
  return at === name.length;
}

function isSeparator(code: number): boolean {
  return code === 0x2d || code === 0x5f || code === 0x2e;
}

function startsWithAny(lower: string, prefixes: readonly string[]): boolean {
  for (const prefix of prefixes) if (lower.startsWith(prefix)) return true;
  return false;
}
