/** What must come of a response: this status to the client, or a message that is visibly broken off. */
export type Fate = number | 'truncated';

/** Bytes an origin sends for a request, and how it goes on. */
export interface Hostile {
  readonly name: string;
  readonly bytes: string;
  readonly ending: 'keep' | 'fin' | 'reset';
  readonly fate: Fate;
  /** Body the client must have got when the response is whole. */
  readonly body: string;
  readonly method: string;
  /** Bytes follow that belong to no message. */
  readonly longer: boolean;
}

const OK = 'HTTP/1.1 200 OK\r\n';
const five = 'Content-Length: 5\r\n';
const chunked = 'Transfer-Encoding: chunked\r\n';
/** An answer that nobody asked for and that must not become that of the next client. */
const STRAY = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen';

const headed = (fields: string, body = 'hello') => `${OK}${fields}\r\n${body}`;
const chunks = (body: string) => headed(chunked, body);
const start = (line: string) => `${line}\r\n${five}\r\nhello`;

type Row = [name: string, bytes: string, fate: Fate, ending?: Hostile['ending'], body?: string];

/** To a GET. */
const rows: Row[] = [
  // status line
  ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n', 502],
  ['a TLS alert', '\x15\x03\x01\x00\x02\x02\x28', 502],
  ['a request', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 502],
  ['a body without a head', 'hello\r\n\r\n', 502],
  ['an empty line before the status line', `\r\n${start('HTTP/1.1 200 OK')}`, 502],
  ['version 0.9', start('HTTP/0.9 200 OK'), 502],
  ['version 1.2', start('HTTP/1.2 200 OK'), 502],
  ['version 2.0', start('HTTP/2.0 200 OK'), 502],
  ['version 2', start('HTTP/2 200'), 502],
  ['a version in lower case', start('http/1.1 200 OK'), 502],
  ['another protocol', start('ICY 200 OK'), 502],
  ['no status', start('HTTP/1.1'), 502],
  ['no status but a reason', start('HTTP/1.1 OK'), 502],
  ['two spaces before the status', start('HTTP/1.1  200 OK'), 502],
  ['a tab before the status', start('HTTP/1.1\t200 OK'), 502],
  ['a tab behind the status', start('HTTP/1.1 200\tOK'), 502],
  ['status 0', start('HTTP/1.1 000 OK'), 502],
  ['status 20', start('HTTP/1.1 20 OK'), 502],
  ['status 99', start('HTTP/1.1 099 OK'), 502],
  ['status 600', start('HTTP/1.1 600 OK'), 502],
  ['status 999', start('HTTP/1.1 999 OK'), 502],
  ['status 2000', start('HTTP/1.1 2000 OK'), 502],
  ['a status of letters', start('HTTP/1.1 2OO OK'), 502],
  ['a negative status', start('HTTP/1.1 -20 OK'), 502],
  ['a reason with a NUL', start('HTTP/1.1 200 O\0K'), 502],
  ['a reason with a CR', start('HTTP/1.1 200 O\rK'), 502],
  ['LF behind the status line', `HTTP/1.1 200 OK\n${five}\r\nhello`, 502],
  ['a status line over 16 KiB', start(`HTTP/1.1 200 ${'O'.repeat(17_000)}`), 502],
  // head
  ['LF behind a field', `${OK}Content-Length: 5\n\r\nhello`, 502],
  ['LF for the empty line', `${OK}${five}\nhello`, 502],
  ['CR alone behind a field', `${OK}Content-Length: 5\r\rhello`, 502],
  ['a continuation line', headed(`X: a\r\n b\r\n${five}`), 502],
  ['a continuation line first', headed(` X: a\r\n${five}`), 502],
  ['a folded length', headed('Content-Length:\r\n 5\r\n'), 502],
  ['space before a colon', headed('Content-Length : 5\r\n'), 502],
  ['no colon', headed(`Xa\r\n${five}`), 502],
  ['no name', headed(`: a\r\n${five}`), 502],
  ['a name with a space', headed(`X Y: a\r\n${five}`), 502],
  ['a value with a NUL', headed(`X: a\0b\r\n${five}`), 502],
  ['a value with a bare CR', headed(`X: a\rSet-Cookie: x\r\n${five}`), 502],
  ['a value with ESC', headed(`X: \x1b[2J\r\n${five}`), 502],
  ['a field line over 16 KiB', headed(`X: ${'a'.repeat(16_400)}\r\n${five}`), 502],
  ['a head over 64 KiB', headed(`X: ${'a'.repeat(16_000)}\r\n`.repeat(5) + five), 502],
  ['an endless field', `${OK}X: ${'a'.repeat(300_000)}`, 502],
  ['5000 fields', headed('X: a\r\n'.repeat(5000) + five), 502],
  ['129 fields', headed('X: a\r\n'.repeat(128) + five), 502],
  ['Connection names Content-Length', headed(`Connection: content-length\r\n${five}`), 502],
  [
    'Connection names Set-Cookie',
    headed(`Set-Cookie: a=b\r\nConnection: set-cookie\r\n${five}`),
    502,
  ],
  // length
  ['two lengths', headed(`${five}Content-Length: 6\r\n`), 502],
  ['two equal lengths', headed(five + five), 502],
  ['a length list', headed('Content-Length: 5, 5\r\n'), 502],
  ['a signed length', headed('Content-Length: +5\r\n'), 502],
  ['a negative length', headed('Content-Length: -1\r\n'), 502],
  ['a hexadecimal length', headed('Content-Length: 0x5\r\n'), 502],
  ['a length with a leading zero', headed('Content-Length: 05\r\n'), 502],
  ['an empty length', headed('Content-Length:\r\n'), 502],
  ['a length of letters', headed('Content-Length: five\r\n'), 502],
  ['a length over 2^53', headed('Content-Length: 9007199254740992\r\n'), 502],
  ['a length over 2^64', headed('Content-Length: 18446744073709551621\r\n'), 502],
  ['a length with an underscore', headed('Content_Length: 5\r\n'), 502],
  ['both framings', headed(`${five}${chunked}`, '0\r\n\r\n'), 502],
  ['both framings, turned', headed(`${chunked}${five}`, '5\r\nhello\r\n0\r\n\r\n'), 502],
  // coding
  ['a coding twice', headed(chunked + chunked, '0\r\n\r\n'), 502],
  ['chunked, chunked', headed('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'), 502],
  ['gzip, chunked', headed('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'), 502],
  ['identity', headed('Transfer-Encoding: identity\r\n'), 502],
  ['an empty coding', headed('Transfer-Encoding:\r\n'), 502],
  ['chunked in HTTP/1.0', `HTTP/1.0 200 OK\r\n${chunked}\r\n5\r\nhello\r\n0\r\n\r\n`, 502],
  ['a chunk size of letters', chunks('x\r\nhello\r\n0\r\n\r\n'), 'truncated'],
  ['a negative chunk size', chunks('-5\r\nhello\r\n0\r\n\r\n'), 'truncated'],
  ['a chunk size with a prefix', chunks('0x5\r\nhello\r\n0\r\n\r\n'), 'truncated'],
  ['a chunk size before a space', chunks('5 \r\nhello\r\n0\r\n\r\n'), 'truncated'],
  ['an empty chunk size', chunks('\r\nhello\r\n0\r\n\r\n'), 'truncated'],
  ['a chunk size over 2^53', chunks('ffffffffffffffff\r\nhello\r\n'), 'truncated'],
  ['a chunk size of 17 digits', chunks('00000000000000005\r\nhello\r\n0\r\n\r\n'), 'truncated'],
  ['a chunk line that ends in LF', chunks('5\nhello\r\n0\r\n\r\n'), 'truncated'],
  ['chunk data that ends in LF', chunks('5\r\nhello\n0\r\n\r\n'), 'truncated'],
  ['chunk data that is too long', chunks('5\r\nhello!\r\n0\r\n\r\n'), 'truncated'],
  ['chunk data that is too short', chunks('6\r\nhello\r\n0\r\n\r\n'), 'truncated'],
  ['an endless chunk extension', chunks(`5;${'a'.repeat(70_000)}`), 'truncated'],
  ['a last chunk that ends in LF', chunks('5\r\nhello\r\n0\n\n'), 'truncated'],
  ['a folded trailer', chunks('0\r\nX: a\r\n b\r\n\r\n'), 'truncated'],
  ['a trailer with a NUL', chunks('0\r\nX: \0\r\n\r\n'), 'truncated'],
  ['endless trailers', chunks(`0\r\n${'X: a\r\n'.repeat(5000)}`), 'truncated'],
  ['a body without its framing word', chunks('hello'), 'truncated'],
  // interim responses
  [
    '101 to a plain request',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    502,
  ],
  ['101 without a protocol', `HTTP/1.1 101 Switching Protocols\r\n\r\n${STRAY}`, 502],
  ['104', `HTTP/1.1 104 Odd\r\n\r\n${start('HTTP/1.1 200 OK')}`, 502],
  ['199', `HTTP/1.1 199 Odd\r\n\r\n${start('HTTP/1.1 200 OK')}`, 502],
  [
    '17 interim responses',
    `${'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(17)}${headed(five)}`,
    502,
  ],
  ['thousands of interim responses', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(5000), 502],
  ['thousands of 100', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(5000), 502],
  [
    'an interim response with a body',
    `HTTP/1.1 103 Early Hints\r\n${five}\r\nhello${headed(five)}`,
    502,
  ],
  ['an interim response, then nothing', 'HTTP/1.1 103 Early Hints\r\n\r\n', 502, 'fin'],
  // the end of the connection
  ['nothing, FIN', '', 502, 'fin'],
  ['nothing, RST', '', 502, 'reset'],
  ['half a status line, FIN', 'HTTP/1.1 20', 502, 'fin'],
  ['half a head, FIN', `${OK}Content-Le`, 502, 'fin'],
  ['a head without its empty line, FIN', `${OK}${five}`, 502, 'fin'],
  ['a head without its empty line, RST', `${OK}${five}`, 502, 'reset'],
  ['no body, FIN', headed(five, ''), 'truncated', 'fin'],
  ['half a body, FIN', headed(five, 'he'), 'truncated', 'fin'],
  ['a body but one byte, FIN', headed(five, 'hell'), 'truncated', 'fin'],
  ['half a body, RST', headed(five, 'he'), 'truncated', 'reset'],
  ['no chunk, FIN', chunks(''), 'truncated', 'fin'],
  ['half a chunk line, FIN', chunks('5'), 'truncated', 'fin'],
  ['half a chunk, FIN', chunks('5\r\nhe'), 'truncated', 'fin'],
  ['a chunk without CRLF, FIN', chunks('5\r\nhello'), 'truncated', 'fin'],
  ['no last chunk, FIN', chunks('5\r\nhello\r\n'), 'truncated', 'fin'],
  ['no last chunk, RST', chunks('5\r\nhello\r\n'), 'truncated', 'reset'],
  ['a last chunk without CRLF, FIN', chunks('5\r\nhello\r\n0'), 'truncated', 'fin'],
  ['a last chunk without the last CRLF, FIN', chunks('5\r\nhello\r\n0\r\n'), 'truncated', 'fin'],
  ['half a trailer, FIN', chunks('5\r\nhello\r\n0\r\nX: '), 'truncated', 'fin'],
  ['an unframed body, RST', headed('', 'hello'), 'truncated', 'reset'],
  // whole, and something behind it
  ['an unframed body, FIN', headed('', 'hello'), 200, 'fin', 'hello'],
  ['an unframed body of nothing, FIN', headed('', ''), 200, 'fin', ''],
  ['HTTP/1.0 with a length', `HTTP/1.0 200 OK\r\n${five}\r\nhello`, 200, 'keep', 'hello'],
  ['HTTP/1.0 without one', 'HTTP/1.0 200 OK\r\n\r\nhello', 200, 'fin', 'hello'],
  [
    'HTTP/1.0 that keeps alive, and a stray',
    `HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n${five}\r\nhello${STRAY}`,
    200,
    'keep',
    'hello',
  ],
  ['a stray answer behind a length', headed(five, `hello${STRAY}`), 200, 'keep', 'hello'],
  ['a stray byte behind a length', headed(five, 'hello!'), 200, 'keep', 'hello'],
  ['a stray CRLF behind a length', headed(five, 'hello\r\n'), 200, 'keep', 'hello'],
  ['a stray answer behind chunks', chunks(`5\r\nhello\r\n0\r\n\r\n${STRAY}`), 200, 'keep', 'hello'],
  ['a stray answer behind an empty body', headed('Content-Length: 0\r\n', STRAY), 200, 'keep', ''],
  ['a body behind 204', `HTTP/1.1 204 No Content\r\n\r\n${STRAY}`, 204, 'keep', ''],
  ['204 with a length', `HTTP/1.1 204 No Content\r\n${five}\r\nhello`, 204, 'keep', ''],
  [
    '204 with chunks',
    `HTTP/1.1 204 No Content\r\n${chunked}\r\n5\r\nhello\r\n0\r\n\r\n`,
    204,
    'keep',
    '',
  ],
  ['204 with a length and no body', `HTTP/1.1 204 No Content\r\n${five}\r\n`, 204, 'keep', ''],
  ['204 with both framings', `HTTP/1.1 204 No Content\r\n${five}${chunked}\r\n`, 204, 'keep', ''],
  ['304 with a length', `HTTP/1.1 304 Not Modified\r\n${five}\r\n`, 304, 'keep', ''],
  ['304 with a body', `HTTP/1.1 304 Not Modified\r\n${five}\r\nhello`, 304, 'keep', ''],
  [
    '304 with chunks',
    `HTTP/1.1 304 Not Modified\r\n${chunked}\r\n5\r\nhello\r\n0\r\n\r\n`,
    304,
    'keep',
    '',
  ],
  [
    '304 with two lengths',
    `HTTP/1.1 304 Not Modified\r\n${five}Content-Length: 6\r\n\r\n`,
    304,
    'keep',
    '',
  ],
  ['205 with a body', `HTTP/1.1 205 Reset Content\r\n${five}\r\nhello`, 205, 'keep', 'hello'],
  [
    'Connection: close that is not closed',
    headed(`${five}Connection: close\r\n`),
    200,
    'keep',
    'hello',
  ],
  [
    'Connection: close and a stray',
    headed(`${five}Connection: close\r\n`, `hello${STRAY}`),
    200,
    'keep',
    'hello',
  ],
  ['no space behind the status', `HTTP/1.1 200\r\n${five}\r\nhello`, 200, 'keep', 'hello'],
  ['an empty reason', `HTTP/1.1 200 \r\n${five}\r\nhello`, 200, 'keep', 'hello'],
  ['an odd status', `HTTP/1.1 299 Odd\r\n${five}\r\nhello`, 299, 'keep', 'hello'],
  [
    'a reason with high bytes',
    `HTTP/1.1 404 Pas trouv\xe9\r\n${five}\r\nhello`,
    404,
    'keep',
    'hello',
  ],
  [
    'a 100 that nobody asked for',
    `HTTP/1.1 100 Continue\r\n\r\n${headed(five)}`,
    200,
    'keep',
    'hello',
  ],
  [
    '16 interim responses',
    `${'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(16)}${headed(five)}`,
    200,
    'keep',
    'hello',
  ],
  [
    'interim responses with framing',
    `HTTP/1.1 103 Early Hints\r\nContent-Length: 0\r\n\r\n${headed(five)}`,
    200,
    'keep',
    'hello',
  ],
  ['a keep-alive of no time', headed(`${five}Keep-Alive: timeout=0\r\n`), 200, 'keep', 'hello'],
  ['an odd keep-alive', headed(`${five}Keep-Alive: timeout=-1, max=x\r\n`), 200, 'keep', 'hello'],
];

/** To a HEAD. */
const headRows: Row[] = [
  ['HEAD with a length', headed(five, ''), 200],
  ['HEAD with a body', headed(five), 200],
  ['HEAD with a stray answer', headed(five, STRAY), 200],
  ['HEAD with chunks', chunks('5\r\nhello\r\n0\r\n\r\n'), 200],
  ['HEAD with a coding and no body', chunks(''), 200],
  ['HEAD with both framings', headed(`${five}${chunked}`, ''), 200],
  ['HEAD with two lengths', headed(`${five}Content-Length: 6\r\n`, ''), 200],
  ['HEAD with a huge length', headed('Content-Length: 9007199254740991\r\n', ''), 200],
  ['HEAD without framing', headed('', ''), 200],
  ['HEAD without framing, FIN', headed('', ''), 200, 'fin'],
  ['HEAD that is cut off', `${OK}Content-`, 502, 'fin'],
];

/** Those that are longer than the message they start with. */
const longer = new Set([
  'HTTP/1.0 that keeps alive, and a stray',
  'a stray answer behind a length',
  'a stray byte behind a length',
  'a stray CRLF behind a length',
  'a stray answer behind chunks',
  'a stray answer behind an empty body',
  'a body behind 204',
  '204 with a length',
  '204 with chunks',
  '304 with a body',
  '304 with chunks',
  'Connection: close and a stray',
  'HEAD with a body',
  'HEAD with a stray answer',
  'HEAD with chunks',
]);

export const hostileResponses: readonly Hostile[] = [
  ...rows.map((row) => hostile(row, 'GET')),
  ...headRows.map((row) => hostile(row, 'HEAD')),
];

function hostile([name, bytes, fate, ending = 'keep', body = '']: Row, method: string): Hostile {
  return { name, bytes, ending, fate, body, method, longer: longer.has(name) };
}
