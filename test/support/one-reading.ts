/** A message that can be read in one way only. Text is latin-1. */
export interface WireMessage {
  /** The start line, without its line end. */
  readonly start: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  readonly trailers: readonly (readonly [name: string, value: string])[];
  /** Position behind the message. */
  readonly end: number;
}

/** Bytes that two parsers could read differently. */
export class Ambiguous extends Error {}

/** More bytes are needed. */
export const UNFINISHED = 'unfinished';

const REQUEST_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ (?:\/[!-~]*|\*) HTTP\/1\.1$/;
const STATUS_LINE = /^HTTP\/1\.1 [1-5][0-9][0-9] [\t -~]*$/;
const FIELD_LINE =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):(?: ([!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?)?$/;
const LENGTH = /^(?:0|[1-9][0-9]{0,15})$/;
const CHUNK_LINE = /^(?:0|[1-9a-f][0-9a-f]{0,7})$/;

/**
 * Reads the request at `from` without any of the freedoms that parsers take: what is accepted here means the
 * same to all of them. A test's own reader, so nothing of it comes from the codec.
 */
export function readRequest(text: string, from: number): WireMessage | typeof UNFINISHED {
  const head = readHead(text, from, REQUEST_LINE);
  if (head === UNFINISHED) return UNFINISHED;
  if (valuesOf(head, 'host').length !== 1) throw new Ambiguous(`not one Host: ${head.start}`);
  return readBody(text, head, framingOf(head) ?? 0);
}

/** As `readRequest`, for the answer to `method`. A body that ends with the connection needs `closed`. */
export function readResponse(
  text: string,
  from: number,
  method: string,
  closed = false,
): WireMessage | typeof UNFINISHED {
  const head = readHead(text, from, STATUS_LINE);
  if (head === UNFINISHED) return UNFINISHED;
  const status = statusOf(head);
  const framing = framingOf(head);
  if (status < 200 || status === 204) {
    if (framing !== null) throw new Ambiguous(`framing in ${head.start}`);
    return head;
  }
  if (method === 'HEAD' || status === 304) return head;
  if (framing !== null) return readBody(text, head, framing);
  if (!closed) return UNFINISHED;
  return { ...head, body: text.slice(head.end), end: text.length };
}

export function statusOf(response: WireMessage): number {
  return Number(response.start.slice(9, 12));
}

/** Values of a field, in order. `name` in lower case. */
export function valuesOf(message: WireMessage, name: string): string[] {
  return message.fields.flatMap(([other, value]) => (other.toLowerCase() === name ? [value] : []));
}

function readHead(text: string, from: number, startLine: RegExp): WireMessage | typeof UNFINISHED {
  const end = text.indexOf('\r\n\r\n', from);
  if (end < 0) return UNFINISHED;
  const [start = '', ...lines] = text.slice(from, end).split('\r\n');
  if (!startLine.test(start)) throw new Ambiguous(`start line ${JSON.stringify(start)}`);
  return { start, fields: lines.map(fieldOf), body: '', trailers: [], end: end + 4 };
}

function fieldOf(line: string): readonly [string, string] {
  const match = FIELD_LINE.exec(line);
  if (match === null) throw new Ambiguous(`field line ${JSON.stringify(line)}`);
  return [match[1] as string, match[2] ?? ''];
}

/** Bytes, `chunked`, or null without framing. */
function framingOf(head: WireMessage): number | 'chunked' | null {
  const lengths = valuesOf(head, 'content-length');
  const codings = valuesOf(head, 'transfer-encoding');
  if (lengths.length + codings.length === 0) return null;
  if (lengths.length + codings.length > 1) throw new Ambiguous(`two framings: ${head.start}`);
  if (codings[0] === 'chunked') return 'chunked';
  if (!LENGTH.test(lengths[0] ?? '')) throw new Ambiguous(`framing of ${head.start}`);
  return Number(lengths[0]);
}

function readBody(
  text: string,
  head: WireMessage,
  framing: number | 'chunked',
): WireMessage | typeof UNFINISHED {
  if (framing === 'chunked') return readChunks(text, head);
  const end = head.end + framing;
  if (text.length < end) return UNFINISHED;
  return { ...head, body: text.slice(head.end, end), end };
}

function readChunks(text: string, head: WireMessage): WireMessage | typeof UNFINISHED {
  let body = '';
  let at = head.end;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return UNFINISHED;
    const line = text.slice(at, lineEnd);
    if (!CHUNK_LINE.test(line)) throw new Ambiguous(`chunk line ${JSON.stringify(line)}`);
    const size = Number.parseInt(line, 16);
    at = lineEnd + 2;
    if (size === 0) break;
    if (text.length < at + size + 2) return UNFINISHED;
    body += text.slice(at, at + size);
    at += size;
    if (text.slice(at, at + 2) !== '\r\n') throw new Ambiguous('chunk data without CRLF');
    at += 2;
  }
  const trailers: (readonly [string, string])[] = [];
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return UNFINISHED;
    const line = text.slice(at, lineEnd);
    at = lineEnd + 2;
    if (line === '') return { ...head, body, trailers, end: at };
    trailers.push(fieldOf(line));
  }
}
