import { expect } from 'chai';
import { type Door, doors, Http1Path } from '../../support/http1-path.ts';
import { statusOf, valuesOf, type WireMessage } from '../../support/one-reading.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { answerTo, type OriginConnection } from '../../support/recording-origin.ts';

/** Fields that the sidecar adds or writes anew: trace context, request id, who called, framing. */
const OURS = new Set([
  'host',
  'traceparent',
  'tracestate',
  'x-request-id',
  'x-forwarded-for',
  'x-forwarded-proto',
  'content-length',
  'transfer-encoding',
  'connection',
]);

const EVERY_VALUE_BYTE = Array.from({ length: 256 }, (_, byte) => byte)
  .filter((byte) => byte === 9 || (byte >= 32 && byte !== 127))
  .map((byte) => String.fromCharCode(byte))
  .join('');

/** Fields with everything that is allowed: order, case, duplicates, empty values, odd bytes. */
const FIELDS: [string, string][] = [
  ['Zebra', 'first'],
  ['aPPle', 'second'],
  ['X-Empty', ''],
  ['Cookie', 'a=b; c="d"; e'],
  ['X-Twice', 'one'],
  ['cookie', 'f=g=='],
  ['x-twice', 'two, three'],
  ['X-Bytes', `<${EVERY_VALUE_BYTE}>`],
  ['X-Tabs', 'a\tb\t\tc'],
  ["!#$%&'*+-.^_`|~09aZ", 'every token byte'],
  ['X-Under_score', 'kept'],
  ['X', 'short'],
  ['Authorization', 'Basic Og=='],
  ['Accept', '*/*;q=0.1,text/html'],
];
const LINES = FIELDS.map(([name, value]) => `${name}: ${value}\r\n`).join('');

function theirs(message: WireMessage): (readonly [string, string])[] {
  return message.fields.filter(([name]) => !OURS.has(name.toLowerCase()));
}

describe('well-behaved HTTP/1.1 through the sidecar', function () {
  this.timeout(15_000);

  let path: Http1Path;
  let asked = 0;

  before(async () => {
    path = await Http1Path.start();
  });

  after(() => path.stop());

  afterEach(async () => {
    await path.othersAreServed();
    await path.nothingHalfSaid();
  });

  /** A path of its own, which the origin answers so. */
  function target(script?: {
    at: 'head' | 'end';
    run(connection: OriginConnection, request: WireMessage | null): void;
  }): string {
    const own = `/well-behaved/${++asked}`;
    if (script !== undefined) path.origin.scripts.set(own, script);
    return own;
  }

  function arrived(own: string): WireMessage {
    const message = path.origin.requests.find(({ start }) => start.split(' ')[1] === own);
    if (message === undefined) throw new Error(`nothing arrived for ${own}`);
    return message;
  }

  async function exchange(bytes: string, method = 'GET', door: Door = 'outbound') {
    const client = await path.dial(door);
    client.send(bytes);
    const answer = await client.answer(method);
    if (answer === null) throw new Error(`no answer: ${client.text}`);
    return { client, answer };
  }

  /** As `exchange`, with an answer of 200, and the connection closed. */
  async function served(bytes: string, method = 'GET', door: Door = 'outbound') {
    const { client, answer } = await exchange(bytes, method, door);
    expect(statusOf(answer), client.text).to.equal(200);
    client.hangUp();
    return answer;
  }

  describe('a request', () => {
    for (const door of doors)
      it(`keeps its fields at the ${door} port, byte for byte`, async () => {
        const own = target();
        await served(`GET ${own} HTTP/1.1\r\nHost: localhost\r\n${LINES}\r\n`, 'GET', door);

        expect(theirs(arrived(own))).to.deep.equal(FIELDS);
        expect(arrived(own).start).to.equal(`GET ${own} HTTP/1.1`);
      });

    for (const own of [
      `/long?${'a'.repeat(16_000)}`,
      '//double//slash/',
      '/a/../b/./c',
      '/%2e%2e/%00/%zz/%',
      '/;a=b&c?d=[e]{f}|g^`<h>"\'~!$*(),+@:=',
      '/?',
      '/?x=http://other/',
      '/*',
    ])
      it(`keeps its target: ${own.slice(0, 40)}`, async () => {
        await served(`GET ${own} HTTP/1.1\r\nHost: localhost\r\n\r\n`);

        expect(arrived(own).start).to.equal(`GET ${own} HTTP/1.1`);
      });

    for (const method of [
      'GET',
      'PUT',
      'DELETE',
      'PATCH',
      'PROPFIND',
      'M-SEARCH',
      'get',
      "X!#$%&'*+.^_`|~",
    ])
      it(`keeps its method: ${method}`, async () => {
        const own = target();
        await served(`${method} ${own} HTTP/1.1\r\nHost: localhost\r\n\r\n`, method);

        expect(arrived(own).start).to.equal(`${method} ${own} HTTP/1.1`);
      });

    for (const host of ['localhost', 'LOCALHOST', 'localhost:80', 'localhost:65535', 'localhost.'])
      it(`keeps its Host: ${host}`, async () => {
        const own = target();
        await served(`GET ${own} HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 'GET', 'forward proxy');

        expect(valuesOf(arrived(own), 'host')).to.deep.equal([host]);
      });

    for (const host of [
      '[::1]',
      '[::1]:8080',
      '[2001:DB8::1.2.3.4]',
      '127.0.0.1:1',
      'a_b-c.example',
      '*'.replace('*', 'x'),
    ])
      it(`keeps any Host at a port of its own: ${host}`, async () => {
        const own = target();
        await served(`GET ${own} HTTP/1.1\r\nHost:${host}\t \r\n\r\n`);

        expect(valuesOf(arrived(own), 'host')).to.deep.equal([host]);
      });

    it('may start with one empty line', async () => {
      await served(`\r\nGET ${target()} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    });

    it('may ask with OPTIONS *', async () => {
      await served('OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n', 'OPTIONS');

      expect(arrived('*').start).to.equal('OPTIONS * HTTP/1.1');
    });

    for (const [absolute, origin] of [
      ['http://localhost', '/?only-by-origin-form'],
      ['HTTP://LocalHost', '/'],
      ['http://localhost', ''],
    ] as const)
      it(`may come in absolute-form: ${absolute}${origin}`, async () => {
        const count = path.origin.requests.length;
        const host = absolute.slice(7);
        await served(
          `GET ${absolute}${origin} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
          'GET',
          'forward proxy',
        );

        expect(path.origin.requests[count]?.start).to.equal(`GET ${origin || '/'} HTTP/1.1`);
      });

    it('has the fields removed that Connection lists, and no others', async () => {
      const own = target();
      await served(
        `GET ${own} HTTP/1.1\r\nHost: localhost\r\nX-Hop: a\r\nConnection: x-hop, Keep-Alive\r\nX-End: b\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nx-HOP: c\r\nconnection: ,, x-other ,\r\nX-Other: d\r\n\r\n`,
      );

      expect(theirs(arrived(own))).to.deep.equal([['X-End', 'b']]);
      expect(valuesOf(arrived(own), 'connection')).to.deep.equal([]);
    });

    it('keeps TE: trailers and drops other codings', async () => {
      const own = target();
      await served(
        `GET ${own} HTTP/1.1\r\nHost: localhost\r\nTE: gzip, trailers;q=1, trailers\r\nConnection: TE\r\n\r\n`,
      );

      expect(valuesOf(arrived(own), 'te')).to.deep.equal(['trailers']);
      expect(valuesOf(arrived(own), 'connection')).to.deep.equal(['TE']);
    });

    it('loses an offer of h2c', async () => {
      const own = target();
      await served(
        `GET ${own} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n`,
      );

      expect(theirs(arrived(own))).to.deep.equal([]);
    });

    it('may come byte by byte, with a body', async () => {
      const own = target();
      const client = await path.dial();
      await client.drip(
        `POST ${own} HTTP/1.1\r\nHost: localhost\r\n${LINES}Content-Length: 5\r\n\r\nhello`,
      );

      expect((await client.answer('POST'))?.body).to.equal(`POST ${own} 5 hello`);
      expect(theirs(arrived(own))).to.deep.equal(FIELDS);
      client.hangUp();
    });

    for (const [name, fields, body, framing] of [
      ['a length', 'Content-Length: 5\r\n', 'hello', 'content-length'],
      ['a length of zero', 'Content-Length: 0\r\n', '', 'content-length'],
      ['no framing at all', '', '', 'content-length'],
      ['chunks', 'Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n', 'transfer-encoding'],
      [
        'chunks of all sizes',
        'Transfer-Encoding: CHUNKED \r\n',
        '1\r\nh\r\n003\r\nell\r\n1;a;b=c;d="e;\\"f"\r\no\r\n000\r\n\r\n',
        'transfer-encoding',
      ],
      ['no chunk but the last', 'Transfer-Encoding:chunked\r\n', '0\r\n\r\n', 'transfer-encoding'],
    ] as const)
      it(`has a body of ${name}`, async () => {
        const own = target();
        await served(`POST ${own} HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n${body}`, 'POST');

        expect(arrived(own).body).to.equal(body.includes('h') ? 'hello' : '');
        expect(valuesOf(arrived(own), framing)).to.have.length(1);
      });

    it('keeps its trailers but those that must not come late', async () => {
      const own = target();
      await served(
        `POST ${own} HTTP/1.1\r\nHost: localhost\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: abc\r\nHost: other\r\nContent-Length: 7\r\nX-Empty:\r\nAuthorization: x\r\n\r\n`,
        'POST',
      );

      expect(arrived(own).trailers).to.deep.equal([
        ['X-Sum', 'abc'],
        ['X-Empty', ''],
      ]);
    });

    it('carries every byte in a body of 3 MB, chunked and not', async () => {
      const body = Array.from({ length: 3 * 1024 }, (_, i) =>
        String.fromCharCode(i % 256).repeat(1024),
      ).join('');
      const plain = target();
      await served(
        `POST ${plain} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        'POST',
      );
      const chunked = target();
      const chunks = body.match(/[^]{1,70000}/g) ?? [];
      const text = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
      await served(
        `POST ${chunked} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n${text}0\r\n\r\n`,
        'POST',
      );

      expect(arrived(plain).body === body).to.equal(true);
      expect(arrived(chunked).body === body).to.equal(true);
    });
  });

  describe('a response', () => {
    const respond = (bytes: string, ending: 'keep' | 'fin' = 'keep') =>
      target({ at: 'end', run: (connection) => connection.finish(bytes, ending) });
    const ask = (own: string, method = 'GET', version = '1.1') =>
      exchange(`${method} ${own} HTTP/${version}\r\nHost: localhost\r\n\r\n`, method);

    for (const [name, framing, body] of [
      ['a length', 'Content-Length: 5\r\n', 'hello'],
      ['chunks', 'Transfer-Encoding: chunked\r\n', '2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\n\r\n'],
    ] as const)
      it(`keeps its fields, byte for byte, with ${name}`, async () => {
        const fields = `${LINES}Set-Cookie: a=b\r\nSet-Cookie: c=d\r\n`;
        const { client, answer } = await ask(
          respond(`HTTP/1.1 200 OK\r\n${framing}${fields}\r\n${body}`),
        );

        expect(theirs(answer)).to.deep.equal([
          ...FIELDS,
          ['Set-Cookie', 'a=b'],
          ['Set-Cookie', 'c=d'],
        ]);
        expect(answer.body).to.equal('hello');
        client.hangUp();
      });

    it('keeps its trailers', async () => {
      const { client, answer } = await ask(
        respond(
          'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: a\r\nSet-Cookie: b\r\n\r\n',
        ),
      );

      expect(answer.trailers).to.deep.equal([['X-Sum', 'a']]);
      client.hangUp();
    });

    it('passes interim heads in order before the final one', async () => {
      const own = respond(
        'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nlink: </b>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      );
      const client = await path.dial();
      client.send(`GET ${own} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      const heads = [await client.response(), await client.response(), await client.response()];

      expect(heads.map((head) => (head === null ? 0 : statusOf(head)))).to.deep.equal([
        103, 102, 200,
      ]);
      expect(heads[0]?.fields).to.deep.equal([
        ['Link', '</a>'],
        ['link', '</b>'],
      ]);
      client.hangUp();
    });

    it('to HEAD keeps its length and has no body', async () => {
      const { client, answer } = await ask(
        respond('HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nX: y\r\n\r\n'),
        'HEAD',
      );
      client.send('GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n');

      expect(valuesOf(answer, 'content-length')).to.deep.equal(['12345']);
      expect((await client.answer())?.body).to.equal('GET /next 0 ');
      client.hangUp();
    });

    for (const status of [
      200, 201, 206, 301, 304, 400, 401, 404, 410, 418, 429, 500, 501, 502, 503, 504, 599,
    ])
      it(`keeps its status: ${status}`, async () => {
        const own = respond(`HTTP/1.1 ${status} Odd\r\nContent-Length: 0\r\n\r\n`);
        const { client, answer } = await ask(own);

        expect(statusOf(answer)).to.equal(status);
        expect(valuesOf(answer, 'outrigger-error')).to.deep.equal([]);
        client.hangUp();
      });

    for (const framing of [
      'Content-Length: 5\r\n\r\nhello',
      'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n',
      '\r\nhello',
    ])
      for (const keepAlive of ['', 'Connection: keep-alive\r\n'])
        it(`reaches a client of HTTP/1.0 ${keepAlive === '' ? '' : 'that keeps alive '}whole: ${framing.split(':')[0]?.trim()}`, async () => {
          const own = respond(
            `HTTP/1.1 200 OK\r\n${framing}`,
            framing.startsWith('\r') ? 'fin' : 'keep',
          );
          const client = await path.dial();
          client.send(`GET ${own} HTTP/1.0\r\nHost: localhost\r\n${keepAlive}\r\n`);
          const answer = await client.answer();

          expect(await client.ended()).to.equal('fin');
          expect(answer?.body).to.equal('hello');
          expect(valuesOf(answer as WireMessage, 'transfer-encoding')).to.deep.equal([]);
        });

    it('carries every byte in a body of 3 MB, byte ranges cut anyhow', async () => {
      const body = Array.from({ length: 3 * 1024 }, (_, i) =>
        String.fromCharCode(i % 256).repeat(1024),
      ).join('');
      const chunks = body.match(/[^]{1,99999}/g) ?? [];
      const text = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
      const { client, answer } = await ask(
        respond(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${text}0\r\n\r\n`),
      );

      expect(answer.body === body).to.equal(true);
      client.hangUp();
    });
  });

  describe('many requests on one connection', () => {
    function mixed(count: number): { bytes: string; answers: [method: string, body: string][] } {
      let bytes = '';
      const answers: [string, string][] = [];
      for (let i = 0; i < count; i++) {
        const own = target();
        const body = `body-${i}`;
        const kinds = [
          ['GET', '', ''],
          ['HEAD', '', ''],
          ['POST', `Content-Length: ${body.length}\r\n`, body],
          [
            'PUT',
            'Transfer-Encoding: chunked\r\n',
            `1\r\n${body[0]}\r\n${(body.length - 1).toString(16)}\r\n${body.slice(1)}\r\n0\r\nX-T: ${i}\r\n\r\n`,
          ],
          ['DELETE', 'Content-Length: 0\r\n', ''],
        ] as const;
        const [method, framing, text] = kinds[i % kinds.length] as (typeof kinds)[number];
        bytes += `${method} ${own} HTTP/1.1\r\nHost: localhost\r\nX-Number: ${i}\r\n${framing}\r\n${text}`;
        const size = text === '' ? 0 : body.length;
        answers.push([
          method,
          method === 'HEAD' ? '' : `${method} ${own} ${size} ${size > 0 ? body : ''}`,
        ]);
      }
      return { bytes, answers };
    }

    async function expectAnswers(client: RawClient, answers: readonly [string, string][]) {
      for (const [method, body] of answers)
        expect((await client.answer(method))?.body).to.equal(body);
      expect(client.rest).to.equal('');
      client.hangUp();
    }

    it('are answered in order, 50 in one write', async () => {
      const { bytes, answers } = mixed(50);
      const client = await path.dial();
      client.send(bytes);

      await expectAnswers(client, answers);
    });

    it('are answered in order, 50 byte by byte', async () => {
      const { bytes, answers } = mixed(50);
      const client = await path.dial();
      await client.drip(bytes);

      await expectAnswers(client, answers);
    });

    it('are answered in order when cut in two at every byte', async () => {
      const { bytes, answers } = mixed(5);
      for (let cut = 1; cut < bytes.length; cut += 1) {
        const client = await path.dial();
        client.send(bytes.slice(0, cut));
        await new Promise((resolve) => setImmediate(resolve));
        client.send(bytes.slice(cut));
        await expectAnswers(client, answers);
      }
    });

    it('are answered before the connection ends, when the client ends its half behind them', async () => {
      const { bytes, answers } = mixed(20);
      const client = await path.dial();
      client.send(bytes).half();

      for (const [method, body] of answers)
        expect((await client.answer(method))?.body).to.equal(body);
      expect(await client.ended()).to.equal('fin');
    });

    it('end with the one that says close', async () => {
      const client = await path.dial();
      const get = (own: string, more = '') =>
        `GET ${own} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
      client.send(get('/one') + get('/two', 'Connection: close\r\n') + get('/never'));

      expect((await client.answer())?.body).to.equal('GET /one 0 ');
      expect((await client.answer())?.body).to.equal('GET /two 0 ');
      expect(await client.ended()).to.equal('fin');
      expect(path.origin.requests.some(({ start }) => start.includes('/never'))).to.equal(false);
    });
  });

  it('delivers a late response to a client that has ended its half', async () => {
    let held: (() => void) | null = null;
    const own = target({
      at: 'end',
      run: (connection, request) => {
        held = () => connection.send(answerTo(request as WireMessage));
      },
    });
    const client = await path.dial();
    client.send(`POST ${own} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nab`).half();
    await path.origin.when(() => held !== null, 'the request');
    (held as unknown as () => void)();

    expect((await client.answer('POST'))?.body).to.equal(`POST ${own} 2 ab`);
    expect(await client.ended()).to.equal('fin');
  });
});
