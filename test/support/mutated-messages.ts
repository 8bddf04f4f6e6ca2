import fc from 'fast-check';

const H = 'Host: localhost\r\n';

/** Requests that are fine, alone and one behind another. */
const FINE = [
  `GET /a?b=c HTTP/1.1\r\n${H}X-A: b\r\nCookie: d=e\r\n\r\n`,
  `POST /p HTTP/1.1\r\n${H}Content-Length: 5\r\nX-A: b\r\n\r\nhello`,
  `POST /c HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a="b"\r\n world\r\n0\r\nX-T: u\r\n\r\n`,
  `PUT http://localhost/abs HTTP/1.1\r\n${H}Content-Length: 0\r\nConnection: X-A\r\nX-A: b\r\n\r\n`,
  `HEAD /h HTTP/1.1\r\n${H}TE: trailers\r\nConnection: TE\r\n\r\n`,
  `OPTIONS * HTTP/1.1\r\n${H}\r\n`,
  `GET /old HTTP/1.0\r\n${H}Connection: keep-alive\r\n\r\n`,
  `POST /e HTTP/1.1\r\n${H}Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc`,
  `GET /w HTTP/1.1\r\n${H}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n`,
  `POST /one HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /two HTTP/1.1\r\n${H}\r\n`,
  `POST /three HTTP/1.1\r\n${H}Content-Length: 40\r\n\r\nGET /inner HTTP/1.1\r\nHost: localhost\r\n\r\nGET /four HTTP/1.1\r\n${H}\r\n`,
];

const BYTES = [
  '\r',
  '\n',
  '\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '+',
  '-',
  '_',
  '.',
  '0',
  '1',
  '5',
  'f',
  'x',
  '"',
  '\\',
  '#',
  '\x0b',
  '\x0c',
  '\x7f',
  '\x85',
  '\xa0',
  '\xff',
  '%',
  '@',
  '/',
  '=',
];

const LINES = [
  'Content-Length: 5',
  'Content-Length: 0',
  'Content-Length: 6',
  'content-length:5',
  'Content-Length: 05',
  'Content-Length: +5',
  'Content-Length: 5, 5',
  'Content-Length:',
  'Content-Length : 5',
  'Content_Length: 5',
  ' Content-Length: 5',
  'Content-Length\t: 5',
  'Content-Length: 5\r',
  'Content-Length: 5 ',
  'Transfer-Encoding: chunked',
  'transfer-encoding:CHUNKED',
  'Transfer-Encoding: chunked ',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding: x, chunked',
  'Transfer-Encoding: chunked, x',
  'Transfer-Encoding:\tchunked',
  'Transfer-Encoding: \x0bchunked',
  'Transfer_Encoding: chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: "chunked"',
  'Transfer-Encoding:',
  ' chunked',
  'Host: localhost',
  'Host: other',
  'Host:',
  'host: localhost',
  'Connection: close',
  'Connection: close, Content-Length',
  'Connection: x-a',
  'Connection: keep-alive',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Upgrade: h2c',
  'Expect: 100-continue',
  'Expect: x',
  'X-A: \xe9\xff',
  'X-A:',
  'X-A',
  ':',
  '',
  '\t',
  '0',
  '5',
  'GET /hidden HTTP/1.1',
  'TE: chunked',
  'Trailer: Content-Length',
  'Keep-Alive: timeout=1',
];

type Mutation = (text: string) => string;

/** A place, as a share of the whole: anywhere alike, where fast-check would prefer the ends. */
const somewhere = fc.noBias(fc.integer({ min: 0, max: 9999 })).map((place) => place / 10_000);
const cutAt = (text: string, share: number) => Math.floor(text.length * share);

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(somewhere, fc.constantFrom(...BYTES)).map(
    ([share, bytes]): Mutation =>
      (text) => {
        const at = cutAt(text, share);
        return text.slice(0, at) + bytes + text.slice(at);
      },
  ),
  fc.tuple(somewhere, fc.constantFrom(...BYTES)).map(
    ([share, bytes]): Mutation =>
      (text) => {
        const at = cutAt(text, share);
        return text.slice(0, at) + bytes + text.slice(at + 1);
      },
  ),
  fc.tuple(somewhere, fc.integer({ min: 1, max: 4 })).map(
    ([share, count]): Mutation =>
      (text) => {
        const at = cutAt(text, share);
        return text.slice(0, at) + text.slice(at + count);
      },
  ),
  fc.tuple(somewhere, fc.constantFrom(...LINES)).map(
    ([share, line]): Mutation =>
      (text) => {
        const lines = text.split('\r\n');
        lines.splice(1 + (cutAt(text, share) % Math.max(1, lines.length - 1)), 0, line);
        return lines.join('\r\n');
      },
  ),
  fc.tuple(somewhere, somewhere).map(
    ([from, to]): Mutation =>
      (text) => {
        const lines = text.split('\r\n');
        const a = Math.floor(lines.length * from);
        const b = Math.floor(lines.length * to);
        [lines[a], lines[b]] = [lines[b] ?? '', lines[a] ?? ''];
        return lines.join('\r\n');
      },
  ),
  somewhere.map(
    (share): Mutation =>
      (text) => {
        const lines = text.split('\r\n');
        const at = Math.floor(lines.length * share);
        lines.splice(at, 0, lines[at] ?? '');
        return lines.join('\r\n');
      },
  ),
  somewhere.map(
    (share): Mutation =>
      (text) => {
        const line = text.split('\r\n')[Math.floor(text.split('\r\n').length * share)] ?? '';
        return text.replace(`${line}\r\n`, `${line}\n`);
      },
  ),
  somewhere.map(
    (share): Mutation =>
      (text) =>
        text.slice(0, cutAt(text, share)),
  ),
  fc.tuple(somewhere, somewhere).map(
    ([from, length]): Mutation =>
      (text) => {
        const at = cutAt(text, from);
        const piece = text.slice(at, at + 1 + Math.floor(length * 60));
        const other = text.length % 7;
        return text.slice(0, at + other) + piece + text.slice(at + other);
      },
  ),
);

const FINE_RESPONSES = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a="b"\r\n world\r\n0\r\nX-T: u\r\n\r\n',
  'HTTP/1.1 200 OK\r\nX-A: b\r\n\r\nuntil the end',
  'HTTP/1.0 404 Not Found\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nno',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
];

/** A fine response, with one to four things wrong with it. */
export const mutatedResponses: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...FINE_RESPONSES), fc.array(mutation, { minLength: 1, maxLength: 4 }))
  .map(([response, mutations]) => mutations.reduce((text, mutate) => mutate(text), response));

/** One to three fine requests, with one to four things wrong with them. */
export const mutatedRequests: fc.Arbitrary<string> = fc
  .tuple(
    fc.array(fc.constantFrom(...FINE), { minLength: 1, maxLength: 3 }),
    fc.array(mutation, { minLength: 1, maxLength: 4 }),
  )
  .map(([requests, mutations]) =>
    mutations.reduce((text, mutate) => mutate(text), requests.join('')),
  );
