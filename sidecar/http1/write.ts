import type { RequestHead, ResponseHead } from '../message/head.ts';
import { fieldLines } from '../message/headers.ts';
import { all, isToken, targetBytes } from '../message/octets.ts';
import { isAuthority } from './authority.ts';
import { CHUNKED, NO_BODY } from './framing.ts';
import { MAX_METHOD_BYTES } from './parse-request.ts';

/**
 * The head of a request as bytes (latin-1), or null when a part of it cannot be written: method and target
 * bytes, names, values and Host are checked again here, whoever made them. One Host, the framing that
 * is asked for (bytes, `CHUNKED` or `NO_BODY`), and no other connection field; order and case of the rest survive.
 */
export function requestHeadText(head: RequestHead, framing: number): string | null {
  const { method, authority } = head;
  const target = method === 'CONNECT' ? authority : head.path;
  if (!isMethod(method) || !isTarget(method, target) || !isAuthority(authority)) return null;
  const lines = fieldLines(head.headers);
  if (lines === null) return null;
  const connection = requestConnection(head);
  if (connection === null) return null;
  return `${method} ${target} HTTP/1.1\r\nHost: ${authority}\r\n${lines}${framingLine(framing)}${connection}\r\n`;
}

/**
 * The head of a response, as `requestHeadText`. `connection` is the value of Connection, empty for none;
 * `protocol` the one that 101 switches to.
 */
export function responseHeadText(
  head: ResponseHead,
  framing: number,
  connection: '' | 'close' | 'Upgrade',
  protocol: string | null,
): string | null {
  const { status } = head;
  if (!Number.isInteger(status) || status < 100 || status > 599) return null;
  const lines = fieldLines(head.headers);
  if (lines === null) return null;
  if (protocol !== null && !isProtocol(protocol)) return null;
  const upgrade = protocol === null ? '' : `Upgrade: ${protocol}\r\n`;
  const option = connection === '' ? '' : `Connection: ${connection}\r\n`;
  return `${statusLine(status)}${lines}${framingLine(framing)}${upgrade}${option}\r\n`;
}

function requestConnection(head: RequestHead): string | null {
  const trailers = head.headers.get('te') === 'trailers';
  if (head.protocol === null) return trailers ? 'TE: trailers\r\nConnection: TE\r\n' : '';
  if (!isProtocol(head.protocol)) return null;
  const upgrade = `Upgrade: ${head.protocol}\r\n`;
  return trailers
    ? `${upgrade}TE: trailers\r\nConnection: Upgrade, TE\r\n`
    : `${upgrade}Connection: Upgrade\r\n`;
}

function framingLine(framing: number): string {
  if (framing >= 0) return `Content-Length: ${framing}\r\n`;
  return framing === CHUNKED ? 'Transfer-Encoding: chunked\r\n' : '';
}

/** How the body of a request is framed: as long as declared, chunked when unknown, else not at all. */
export function requestBodyFraming(head: RequestHead): number {
  if (head.protocol !== null || head.method === 'CONNECT') return NO_BODY;
  if (head.contentLength !== null) return head.contentLength;
  if (!head.ended) return CHUNKED;
  const { method } = head;
  return method === 'POST' || method === 'PUT' || method === 'PATCH' ? 0 : NO_BODY;
}

function isMethod(method: string): boolean {
  return method === 'GET' || (method.length <= MAX_METHOD_BYTES && isToken(method));
}

function isTarget(method: string, target: string): boolean {
  if (method === 'CONNECT') return true;
  if (target === '*') return method === 'OPTIONS';
  return target.charCodeAt(0) === 0x2f && all(target, targetBytes);
}

/** A token, with a version behind a slash at most. */
function isProtocol(protocol: string): boolean {
  const slash = protocol.indexOf('/');
  if (slash < 0) return isToken(protocol);
  return isToken(protocol.slice(0, slash)) && isToken(protocol.slice(slash + 1));
}

const lines = new Map<number, string>();

function statusLine(status: number): string {
  let line = lines.get(status);
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${reasons.get(status) ?? ''}\r\n`;
    lines.set(status, line);
  }
  return line;
}

/** Reason phrases of the IANA registry; a status without one is written with an empty phrase. */
const reasons = new Map<number, string>([
  [100, 'Continue'],
  [101, 'Switching Protocols'],
  [102, 'Processing'],
  [103, 'Early Hints'],
  [200, 'OK'],
  [201, 'Created'],
  [202, 'Accepted'],
  [203, 'Non-Authoritative Information'],
  [204, 'No Content'],
  [205, 'Reset Content'],
  [206, 'Partial Content'],
  [207, 'Multi-Status'],
  [208, 'Already Reported'],
  [226, 'IM Used'],
  [300, 'Multiple Choices'],
  [301, 'Moved Permanently'],
  [302, 'Found'],
  [303, 'See Other'],
  [304, 'Not Modified'],
  [305, 'Use Proxy'],
  [307, 'Temporary Redirect'],
  [308, 'Permanent Redirect'],
  [400, 'Bad Request'],
  [401, 'Unauthorized'],
  [402, 'Payment Required'],
  [403, 'Forbidden'],
  [404, 'Not Found'],
  [405, 'Method Not Allowed'],
  [406, 'Not Acceptable'],
  [407, 'Proxy Authentication Required'],
  [408, 'Request Timeout'],
  [409, 'Conflict'],
  [410, 'Gone'],
  [411, 'Length Required'],
  [412, 'Precondition Failed'],
  [413, 'Content Too Large'],
  [414, 'URI Too Long'],
  [415, 'Unsupported Media Type'],
  [416, 'Range Not Satisfiable'],
  [417, 'Expectation Failed'],
  [421, 'Misdirected Request'],
  [422, 'Unprocessable Content'],
  [423, 'Locked'],
  [424, 'Failed Dependency'],
  [425, 'Too Early'],
  [426, 'Upgrade Required'],
  [428, 'Precondition Required'],
  [429, 'Too Many Requests'],
  [431, 'Request Header Fields Too Large'],
  [451, 'Unavailable For Legal Reasons'],
  [500, 'Internal Server Error'],
  [501, 'Not Implemented'],
  [502, 'Bad Gateway'],
  [503, 'Service Unavailable'],
  [504, 'Gateway Timeout'],
  [505, 'HTTP Version Not Supported'],
  [506, 'Variant Also Negotiates'],
  [507, 'Insufficient Storage'],
  [508, 'Loop Detected'],
  [510, 'Not Extended'],
  [511, 'Network Authentication Required'],
]);
