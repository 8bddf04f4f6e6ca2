import { expect } from 'chai';
import { Downstream, fieldsOf } from '../../support/http1-downstream.ts';

const LONGEST = '9007199254740991';

/** Requests that are taken, by the row of `reliability.md` §2 that they are the edge of. */
const taken: [name: string, bytes: string][] = [
  ['one empty line before the request line', '\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['an unknown method, case kept', 'Brew-1 / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a method of 32 bytes', `${'M'.repeat(32)} / HTTP/1.1\r\nHost: a\r\n\r\n`],
  [
    'every byte a target may hold',
    'GET /!$%&\'()*+,-./0:;<=>?@A[]^_`a{|}~" HTTP/1.1\r\nHost: a\r\n\r\n',
  ],
  [
    'absolute-form with the authority of Host',
    'GET http://A.b:80/x?y HTTP/1.1\r\nHost: a.B:80\r\n\r\n',
  ],
  ['* with OPTIONS', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['HTTP/1.0 with Host', 'GET / HTTP/1.0\r\nHost: a\r\n\r\n'],
  ['no whitespace behind the colon', 'GET / HTTP/1.1\r\nHost:a\r\n\r\n'],
  ['tabs and spaces around a value', 'GET / HTTP/1.1\r\nHost: \ta \t\r\n\r\n'],
  ['an empty value', 'GET / HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n'],
  ['obs-text and HTAB inside a value', 'GET / HTTP/1.1\r\nHost: a\r\nX: \x80\xff\tb\r\n\r\n'],
  ['an IPv6 host with port', 'GET / HTTP/1.1\r\nHost: [::1]:65535\r\n\r\n'],
  ['a content length of zero', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n'],
  [
    'the largest content length',
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${LONGEST}\r\n\r\n`,
  ],
  [
    'chunked in any case after whitespace',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \tChunKed \r\n\r\n',
  ],
  [
    'Expect: 100-continue',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\n',
  ],
  ['empty members of Connection', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: , close,\r\n\r\n'],
  ['a body with GET', 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n'],
];

/** Requests that are refused, with the status their sender is told. */
const refused: [name: string, bytes: string, status: number][] = [
  ['a bare LF behind the request line', 'GET / HTTP/1.1\nHost: a\r\n\r\n', 400],
  ['a bare LF behind a field', 'GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n', 400],
  ['a bare LF as the empty line', 'GET / HTTP/1.1\r\nHost: a\r\n\n', 400],
  ['a bare CR in a value', 'GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n', 400],
  ['a bare CR as line end', 'GET / HTTP/1.1\rHost: a\r\n\r\n', 400],
  ['NUL in a value', 'GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n', 400],
  ['NUL in a target', 'GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['DEL in a value', 'GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n', 400],
  [
    'a vertical tab before chunked',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n',
    400,
  ],
  ['two empty lines before the request line', '\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a space before the method', ' GET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['two spaces behind the method', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['two spaces behind the target', 'GET /  HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a tab behind the method', 'GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a space behind the version', 'GET / HTTP/1.1 \r\nHost: a\r\n\r\n', 400],
  ['no target', 'GET HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['HTTP/0.9', 'GET /\r\n\r\n', 400],
  ['a method with a colon', 'GE:T / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a method of 33 bytes', `${'M'.repeat(33)} / HTTP/1.1\r\nHost: a\r\n\r\n`, 501],
  ['PRI', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
  ['PRI in HTTP/1.1', 'PRI / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['TRACE', 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n', 405],
  ['CONNECT where no tunnel is allowed', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 405],
  ['a fragment in the target', 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a backslash in the target', 'GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a byte over 0x7E in the target', 'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a target without slash', 'GET a HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['* with GET', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['authority-form with GET', 'GET a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n', 400],
  ['absolute-form with another host', 'GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['absolute-form with userinfo', 'GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['absolute-form of another scheme', 'GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['absolute-form without Host in 1.1', 'GET http://a/ HTTP/1.1\r\n\r\n', 400],
  ['HTTP/1.2', 'GET / HTTP/1.2\r\nHost: a\r\n\r\n', 505],
  ['HTTP/2.0', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505],
  ['HTTP/1', 'GET / HTTP/1\r\nHost: a\r\n\r\n', 400],
  ['HTTP/01.1', 'GET / HTTP/01.1\r\nHost: a\r\n\r\n', 400],
  ['http/1.1', 'GET / http/1.1\r\nHost: a\r\n\r\n', 400],
  ['HTTP/1 .1', 'GET / HTTP/1 .1\r\nHost: a\r\n\r\n', 400],
  ['a space before the colon', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n', 400],
  ['a tab in a name', 'GET / HTTP/1.1\r\nHost: a\r\nX\tY: b\r\n\r\n', 400],
  ['a continuation line', 'GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n', 400],
  ['whitespace directly behind the request line', 'GET / HTTP/1.1\r\n Host: a\r\n\r\n', 400],
  ['an empty name', 'GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n', 400],
  ['a line without a colon', 'GET / HTTP/1.1\r\nHost: a\r\nabc\r\n\r\n', 400],
  ['a name with a non-ASCII byte', 'GET / HTTP/1.1\r\nHost: a\r\n\xe9: b\r\n\r\n', 400],
  ['a name with brackets', 'GET / HTTP/1.1\r\nHost: a\r\n[x]: b\r\n\r\n', 400],
  ['no Host', 'GET / HTTP/1.1\r\nX: a\r\n\r\n', 400],
  ['two equal Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', 400],
  ['an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', 400],
  ['a list as Host', 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n', 400],
  ['userinfo in Host', 'GET / HTTP/1.1\r\nHost: u@a\r\n\r\n', 400],
  ['a path in Host', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 400],
  ['whitespace in Host', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
  ['a percent in Host', 'GET / HTTP/1.1\r\nHost: a%62\r\n\r\n', 400],
  ['port 65536', 'GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n', 400],
  ['an empty port', 'GET / HTTP/1.1\r\nHost: a:\r\n\r\n', 400],
  ['a port in hexadecimal', 'GET / HTTP/1.1\r\nHost: a:0x50\r\n\r\n', 400],
  ['a broken IPv6 host', 'GET / HTTP/1.1\r\nHost: [::1\r\n\r\n', 400],
  ['an IPv6 zone', 'GET / HTTP/1.1\r\nHost: [fe80::1%eth0]\r\n\r\n', 400],
  ['HTTP/1.0 without Host or default', 'GET / HTTP/1.0\r\n\r\n', 400],
  [
    'equal Content-Length fields',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n',
    400,
  ],
  ...[
    '+1',
    '-1',
    '-0',
    '1, 1',
    '1,2',
    '01',
    '00',
    '0x1',
    '1e1',
    '1 1',
    '',
    '1_0',
    '\xb2',
    '1.0',
    '9007199254740992',
    '99999999999999999',
  ].map((value): [string, string, number] => [
    `Content-Length: ${JSON.stringify(value)}`,
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${value}\r\n\r\n`,
    400,
  ]),
  [
    'both framings',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    400,
  ],
  [
    'two Transfer-Encoding fields',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n',
    400,
  ],
  [
    'Transfer-Encoding in 1.0',
    'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n',
    400,
  ],
  ...(
    [
      ['gzip', 501],
      ['gzip, chunked', 501],
      ['identity', 501],
      ['xchunked', 501],
      ['chunked, gzip', 400],
      ['chunked, chunked', 400],
      ['', 400],
      [',chunked', 400],
      ['chunked,', 400],
      ['chunked;a=b', 400],
      ['"chunked"', 400],
      ['chun ked', 400],
    ] as const
  ).map(([value, status]): [string, string, number] => [
    `Transfer-Encoding: ${JSON.stringify(value)}`,
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ${value}\r\n\r\n`,
    status,
  ]),
  [
    'another expectation',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 200-ok\r\n\r\n',
    417,
  ],
  ...[
    'host',
    'Content-Length',
    'transfer-encoding',
    'Authorization',
    'cookie',
    'X-Forwarded-For',
    'forwarded',
    'via',
    'traceparent',
    'x-forwarded-client-cert',
    'outrigger-timeout-ms',
  ].map((name): [string, string, number] => [
    `Connection naming ${name}`,
    `GET / HTTP/1.1\r\nHost: a\r\nConnection: close, ${name}\r\n\r\n`,
    400,
  ]),
  ['Connection that is no list', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: a b\r\n\r\n', 400],
  ...[
    'Content_Length',
    'content.length',
    'ContentLength',
    'Content-Length_',
    'Transfer_Encoding',
    'TransferEncoding',
    '-Host',
    'h_o.s-t',
    'X_Forwarded_Client_Cert',
  ].map((name): [string, string, number] => [
    `the look-alike ${name}`,
    `GET / HTTP/1.1\r\nHost: a\r\n${name}: 1\r\n\r\n`,
    400,
  ]),
];

describe('request heads', () => {
  for (const [name, bytes] of taken) {
    it(`takes ${name}`, () => {
      const downstream = new Downstream();

      downstream.send(bytes);

      expect(downstream.output).to.equal('');
      expect(downstream.exchanges).to.have.length(1);
    });
  }

  for (const [name, bytes, status] of refused) {
    it(`refuses ${name} with ${status}`, () => {
      const downstream = new Downstream();

      downstream.send(bytes);

      expect(downstream.exchanges).to.have.length(0);
      expect(downstream.statuses).to.deep.equal([status]);
      expect(downstream.output).to.include('Connection: close');
      expect(downstream.transport.ended).to.equal(true);
      expect(downstream.refusals).to.have.length(1);
    });
  }

  for (const [name, bytes, status] of refused) {
    it(`refuses ${name} byte by byte as well`, () => {
      const downstream = new Downstream();

      for (const byte of Buffer.from(bytes, 'latin1')) downstream.send(Buffer.of(byte));

      expect(downstream.exchanges).to.have.length(0);
      expect(downstream.statuses).to.deep.equal([status]);
    });
  }

  it('gives the head without framing and connection fields, order and case of the rest kept', () => {
    const downstream = new Downstream();

    downstream.send(
      'PUT /a%2Fb?c HTTP/1.1\r\nX-One: 1\r\nHOST: Example.com\r\nConnection: x-two, keep-alive\r\n' +
        'x-TWO: 2\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n' +
        'content-length: 3\r\nX-One: again\r\nAccept:\t*/* \r\n\r\nabc',
    );

    const { head } = downstream.last;
    expect(fieldsOf(head.headers)).to.deep.equal([
      ['X-One', '1'],
      ['X-One', 'again'],
      ['Accept', '*/*'],
    ]);
    expect(head).to.include({
      method: 'PUT',
      path: '/a%2Fb?c',
      authority: 'Example.com',
      version: '1.1',
      protocol: null,
      contentLength: 3,
      ended: false,
    });
    expect(downstream.last.body).to.equal('abc');
  });

  it('routes absolute-form by its path', () => {
    const downstream = new Downstream();

    downstream.send('GET http://a?q HTTP/1.1\r\nHost: a\r\n\r\n');

    expect(downstream.last.head).to.include({ authority: 'a', path: '/?q', scheme: 'http' });
  });

  it('takes the default authority for HTTP/1.0 without Host', () => {
    const downstream = new Downstream({ defaultAuthority: 'local:1' });

    downstream.send('GET / HTTP/1.0\r\n\r\n');

    expect(downstream.last.head.authority).to.equal('local:1');
  });

  it('keeps TE only as far as it asks for trailers', () => {
    const downstream = new Downstream();

    downstream.send(
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nTE: gzip;q=0.5, Trailers\r\n\r\n',
    );

    expect(downstream.last.head.headers.get('te')).to.equal('trailers');
  });

  for (const [name, limits, atLimit, overLimit, status] of [
    ['target', { maxTargetBytes: 10 }, `/${'a'.repeat(9)}`, `/${'a'.repeat(10)}`, 414],
  ] as const) {
    it(`takes a ${name} at its limit and answers ${status} above it`, () => {
      const fits = new Downstream({ limits });
      const tooLong = new Downstream({ limits });

      fits.send(`GET ${atLimit} HTTP/1.1\r\nHost: a\r\n\r\n`);
      tooLong.send(`GET ${overLimit} HTTP/1.1\r\nHost: a\r\n\r\n`);

      expect(fits.exchanges).to.have.length(1);
      expect(tooLong.statuses).to.deep.equal([status]);
    });
  }

  for (const [limit, key, bytes] of [
    ['maxTargetBytes', 'http.maxTargetBytes', `GET /${'a'.repeat(200)} HTTP/1.1\r\n`],
    ['maxLineBytes', 'http.maxFieldBytes', `GET / HTTP/1.1\r\nX: ${'a'.repeat(200)}\r\n`],
    ['maxFields', 'http.maxFields', `GET / HTTP/1.1\r\n${'X: a\r\n'.repeat(101)}\r\n`],
    [
      'maxHeadBytes',
      'http.maxHeadBytes',
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(200)}\r\n\r\n`,
    ],
  ] as const) {
    it(`names ${limit}, its value and its key to who is over it`, () => {
      const downstream = new Downstream({ limits: { [limit]: 100 } });
      downstream.send(bytes);

      expect(downstream.refusals[0]?.code).to.equal('headers_too_large');
      expect(downstream.refusals[0]?.evidence).to.deep.equal({ limit, value: 100, key });
    });
  }

  for (const [name, limits, extra] of [
    ['field line', { maxLineBytes: 20 }, (over: number) => `X: ${'a'.repeat(15 + over)}\r\n`],
    ['number of fields', { maxFields: 5 }, (over: number) => 'X: a\r\n'.repeat(4 + over)],
    ['head', { maxHeadBytes: 100 }, (over: number) => `X: ${'a'.repeat(68 + over)}\r\n`],
  ] as const) {
    for (const piecewise of [false, true]) {
      it(`takes a ${name} at its limit and answers 431 above it${piecewise ? ', in pieces' : ''}`, () => {
        const statuses = [0, 1].map((over) => {
          const downstream = new Downstream({ limits });
          downstream.autoAnswer = (exchange) => exchange.answer();
          const bytes = Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\n${extra(over)}\r\n`, 'latin1');
          if (piecewise) for (const byte of bytes) downstream.send(Buffer.of(byte));
          else downstream.send(bytes);
          return downstream.statuses;
        });

        expect(statuses).to.deep.equal([[200], [431]]);
      });
    }
  }

  for (const [name, prefix, status] of [
    ['a TLS handshake', '\x16\x03\x01', 400],
    ['a bare LF', 'GET / HTTP/1.1\n', 400],
    ['a NUL', 'GET / HTTP/1.1\r\nHo\0', 400],
    ['an endless method', 'M'.repeat(33), 501],
    ['a folded line', 'GET / HTTP/1.1\r\nA: b\r\n ', 400],
    ['a CR without LF', 'GET / HTTP/1.1\r\nA: b\rc', 400],
    ['an endless target', `GET /${'a'.repeat(17_000)}`, 414],
    ['an endless field line', `GET / HTTP/1.1\r\nA: ${'a'.repeat(17_000)}`, 431],
  ] as const) {
    it(`refuses ${name} as soon as it is seen`, () => {
      const downstream = new Downstream();

      downstream.send(prefix);

      expect(downstream.statuses).to.deep.equal([status]);
    });
  }
});
