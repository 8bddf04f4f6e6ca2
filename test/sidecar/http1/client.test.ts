import { expect } from 'chai';
import { Failure } from '../../../sidecar/failure.ts';
import { HeaderList } from '../../../sidecar/message/headers.ts';
import { READ_BYTES } from '../../../sidecar/transport/read-buffer.ts';
import { fieldsOf } from '../../support/http1-downstream.ts';
import { UpstreamLink } from '../../support/http1-upstream.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('an upstream connection', () => {
  it('carries one exchange after another', () => {
    const link = new UpstreamLink();

    const first = link.open();
    link.receive(OK);
    const second = link.open({ path: '/2' });
    link.receive('HTTP/1.1 204 No Content\r\n\r\n');

    expect(link.output).to.equal(
      'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n',
    );
    expect([first.response.body, first.response.ended, second.response.ended]).to.deep.equal([
      'ok',
      true,
      true,
    ]);
    expect([link.idle, link.connection.requests, link.connection.busy]).to.deep.equal([
      2,
      2,
      false,
    ]);
  });

  it('is free when the requester hears of the end', () => {
    const link = new UpstreamLink();
    const { response } = link.open();
    const seen: boolean[] = [];
    response.end = () => seen.push(link.connection.busy);

    link.receive(OK);

    expect(seen).to.deep.equal([false]);
    expect(link.idle).to.equal(1);
  });

  describe('writes a request', () => {
    it('with order and case of its fields, one Host, and TE only for trailers', () => {
      const link = new UpstreamLink();

      link.open({
        headers: HeaderList.of([
          ['X-B', '1'],
          ['te', 'trailers'],
          ['x-A', '2'],
          ['host', 'evil'],
          ['connection', 'x'],
        ]),
      });

      expect(link.output).to.equal(
        'GET / HTTP/1.1\r\nHost: a\r\nX-B: 1\r\nx-A: 2\r\nTE: trailers\r\nConnection: TE\r\n\r\n',
      );
    });

    it('of known length', () => {
      const link = new UpstreamLink();
      const { responder } = link.open({ method: 'POST', contentLength: 5, ended: false });
      responder.data(bytes('hel'));
      responder.data(bytes('lo'));
      responder.end(HeaderList.of([['x', 'y']]));

      expect(link.output).to.equal('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello');
    });

    it('of unknown length in chunks with trailers', () => {
      const link = new UpstreamLink();
      const { responder } = link.open({ method: 'POST', ended: false });
      responder.data(bytes('hello'));
      responder.end(HeaderList.of([['x', 'y']]));

      expect(link.output).to.equal(
        'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx: y\r\n\r\n',
      );
    });

    it('without a body, saying so where the method has one', () => {
      const link = new UpstreamLink();
      link.open({ method: 'POST' });

      expect(link.output).to.equal('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
    });

    for (const [name, head] of [
      ['a method with a space', { method: 'GET /x HTTP/1.1' }],
      ['a target with a space', { path: '/ HTTP/1.1' }],
      ['a target with CR LF', { path: '/\r\nX: y' }],
      ['a target without slash', { path: 'x' }],
      ['a Host with CR LF', { authority: 'a\r\nX: y' }],
      ['an empty Host', { authority: '' }],
      ['a field with CR LF', { headers: HeaderList.of([['x', 'a\r\ny: z']]) }],
      ['a look-alike', { headers: HeaderList.of([['content_length', '1']]) }],
      ['a protocol with CR LF', { protocol: 'a\r\nb', ended: false }],
    ] as const) {
      it(`never with ${name}`, async () => {
        const link = new UpstreamLink();
        const { response } = link.open(head);
        const before = response.failure;
        await settled();

        expect(link.output).to.equal('');
        expect(before).to.equal(null);
        expect(response.failure?.code).to.equal('internal_error');
      });
    }

    for (const [name, send] of [
      ['longer', (data: (text: string) => void) => data('123456')],
      [
        'shorter',
        (data: (text: string) => void, end: () => void) => {
          data('1234');
          end();
        },
      ],
    ] as const) {
      it(`destroys the connection when the body is ${name} than its head says`, async () => {
        const link = new UpstreamLink();
        const { response, responder } = link.open({
          method: 'POST',
          contentLength: 5,
          ended: false,
        });

        send(
          (text) => responder.data(bytes(text)),
          () => responder.end(null),
        );
        await settled();

        expect(link.transport.open).to.equal(false);
        expect(response.failure?.code).to.equal('internal_error');
      });
    }
  });

  describe('reads a response', () => {
    const read = (response: string, method = 'GET') => {
      const link = new UpstreamLink();
      const opened = link.open({ method });
      link.receive(response);
      return { link, response: opened.response };
    };

    it('however it is split', () => {
      const stream =
        'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nSet-Cookie: x\r\n\r\n';
      for (let split = 0; split <= stream.length; split++) {
        const link = new UpstreamLink();
        const { response } = link.open();
        link.receive(stream.slice(0, split));
        link.receive(stream.slice(split));

        expect(response.statuses).to.deep.equal([103, 200]);
        expect([response.body, response.ended, link.idle]).to.deep.equal(['hello', true, 1]);
        expect(response.trailers === null ? null : fieldsOf(response.trailers)).to.deep.equal([
          ['X-Sum', '1'],
        ]);
      }
    });

    it('gives the head without framing and connection fields', () => {
      const { link, response } = read(
        'HTTP/1.1 200 OK\r\nDate: x\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=7, max=3\r\nContent-Length: 0\r\n\r\n',
      );

      expect(response.heads.map(({ headers }) => fieldsOf(headers))).to.deep.equal([
        [['Date', 'x']],
      ]);
      expect(response.heads[0]).to.include({ contentLength: 0, ended: true });
      expect(link.connection.keepAliveMs).to.equal(7000);
    });

    it('that fills its read, and is not used again: more may lie behind it', () => {
      const head = `HTTP/1.1 200 OK\r\nContent-Length: ${READ_BYTES - 42}\r\n\r\n`;
      const whole = head + 'x'.repeat(READ_BYTES - 42);

      const { link, response } = read(whole);

      expect(whole.length).to.equal(READ_BYTES);
      expect([response.ended, link.idle]).to.deep.equal([true, 0]);
    });

    it('that ends with FIN, and is not used again', () => {
      const { link, response } = read('HTTP/1.1 200 OK\r\n\r\nhello');
      const before = response.ended;
      link.transport.fin();

      expect([before, response.ended, response.body]).to.deep.equal([false, true, 'hello']);
      expect([link.idle, link.transport.open]).to.deep.equal([0, false]);
    });

    for (const [name, head] of [
      ['length', 'Content-Length: 5\r\n'],
      ['chunked', 'Transfer-Encoding: chunked\r\n'],
      ['both', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'],
    ] as const) {
      for (const [status, method] of [
        [204, 'GET'],
        [304, 'GET'],
        [200, 'HEAD'],
      ] as const) {
        it(`has no body for ${method} ${status} with ${name}`, () => {
          const { link, response } = read(`HTTP/1.1 ${status} X\r\n${head}\r\n`, method);

          expect([response.ended, response.body, response.failure]).to.deep.equal([true, '', null]);
          // A 204 with framing is from someone who will send a body; the others may tell a length.
          expect(link.idle).to.equal(name === 'both' || status === 204 ? 0 : 1);
        });
      }

      it(`ignores ${name} on 1xx`, () => {
        const { response } = read(`HTTP/1.1 103 X\r\n${head}\r\n${OK}`);

        expect([response.statuses, response.body]).to.deep.equal([[103, 200], 'ok']);
      });
    }

    for (const [name, response] of [
      ['a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n'],
      ['another protocol', 'SSH-2.0-OpenSSH\r\n'],
      ['HTTP/2.0', 'HTTP/2.0 200 OK\r\n\r\n'],
      ['status 99', 'HTTP/1.1 099 X\r\n\r\n'],
      ['status 600', 'HTTP/1.1 600 X\r\n\r\n'],
      ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
      ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
      ['two spaces before the status', 'HTTP/1.1  200 OK\r\n\r\n'],
      ['a control byte in the reason', 'HTTP/1.1 200 O\x01K\r\n\r\n'],
      ['a NUL in a value', 'HTTP/1.1 200 OK\r\nX: a\0\r\n\r\n'],
      ['a folded field', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n'],
      ['a space before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n'],
      ['whitespace behind the status line', 'HTTP/1.1 200 OK\r\n X: a\r\n\r\n'],
      [
        'both framings',
        'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
      ],
      ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n'],
      ['a signed length', 'HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n'],
      ['another coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n'],
      ['chunked in 1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
      ['a look-alike', 'HTTP/1.1 200 OK\r\nContent_Length: 5\r\n\r\n'],
      ['Connection naming Set-Cookie', 'HTTP/1.1 200 OK\r\nConnection: set-cookie\r\n\r\n'],
      [
        '101 nobody asked for',
        'HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
      ],
      ['an unknown interim status', 'HTTP/1.1 104 X\r\n\r\n'],
    ] as const) {
      it(`refuses ${name}`, () => {
        const { link, response: seen } = read(response);

        expect(seen.failure?.code).to.equal('upstream_protocol_error');
        expect([seen.heads, link.idle, link.transport.open]).to.deep.equal([[], 0, false]);
      });
    }

    for (const [name, chunks] of [
      ['a chunk size with sign', '+5\r\nhello\r\n0\r\n\r\n'],
      ['no CRLF behind chunk data', '5\r\nhello0\r\n\r\n'],
      ['a bare LF in a chunk line', '5\nhello\r\n0\r\n\r\n'],
      ['17 digits', '00000000000000005\r\nhello\r\n0\r\n\r\n'],
      ['a size over 2^53 - 1', '20000000000000\r\n'],
    ] as const) {
      it(`breaks off at ${name}`, () => {
        const { link, response } = read(
          `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`,
        );

        expect(response.failure?.code).to.equal('upstream_protocol_error');
        expect([response.ended, link.transport.open]).to.deep.equal([false, false]);
      });
    }

    it('takes 16 digits of a chunk size', () => {
      const { response } = read(
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0000000000000005\r\nhello\r\n0\r\n\r\n',
      );

      expect([response.body, response.ended]).to.deep.equal(['hello', true]);
    });

    it('names a head that is too large', () => {
      const { response } = read(`HTTP/1.1 200 OK\r\n${`X: ${'a'.repeat(8000)}\r\n`.repeat(9)}\r\n`);

      expect(response.failure?.code).to.equal('upstream_headers_too_large');
    });

    it('takes at most 16 interim heads', () => {
      const interim = 'HTTP/1.1 103 X\r\n\r\n';
      const fits = read(interim.repeat(16) + OK);
      const flood = read(interim.repeat(17) + OK);

      expect(fits.response.ended).to.equal(true);
      expect(flood.response.failure?.code).to.equal('upstream_protocol_error');
    });

    it('passes 100 only to a request that expects it', () => {
      const link = new UpstreamLink();
      const { response } = link.open({ headers: HeaderList.of([['Expect', '100-continue']]) });
      link.receive(`HTTP/1.1 100 Continue\r\n\r\n${OK}`);

      expect(response.statuses).to.deep.equal([100, 200]);
      expect(read(`HTTP/1.1 100 Continue\r\n\r\n${OK}`).response.statuses).to.deep.equal([200]);
    });
  });

  describe('is not used again', () => {
    for (const [name, response] of [
      [
        'after Connection: close',
        'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
      ],
      ['after a 1.0 response', 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n'],
      ['after extra bytes in the same packet', `${OK}HTTP/1.1 200 OK\r\n\r\n`],
      ['after a body that 204 cannot have', 'HTTP/1.1 204 X\r\nContent-Length: 2\r\n\r\nok'],
    ] as const) {
      it(name, () => {
        const link = new UpstreamLink();
        const { response: seen } = link.open();
        link.receive(response);

        expect([seen.ended, seen.failure]).to.deep.equal([true, null]);
        expect([link.idle, link.transport.open]).to.deep.equal([0, false]);
      });
    }

    it('when bytes come while it is idle', async () => {
      const link = new UpstreamLink();
      link.open();
      link.receive(OK);
      link.receive(OK);
      await settled();

      expect(link.transport.open).to.equal(false);
      expect(link.closed).to.deep.equal([null]);
    });

    it('when FIN comes while it is idle', () => {
      const link = new UpstreamLink();
      link.transport.fin();

      expect(link.transport.open).to.equal(false);
    });

    it('after a response that came before the end of its request', () => {
      const link = new UpstreamLink();
      const { response, responder } = link.open({
        method: 'POST',
        contentLength: 10,
        ended: false,
      });
      responder.data(bytes('01234'));
      link.receive('HTTP/1.1 413 X\r\nContent-Length: 5\r\n\r\nlarge');
      responder.data(bytes('56789'));

      expect([response.body, response.ended, link.idle, link.transport.open]).to.deep.equal([
        'large',
        true,
        0,
        false,
      ]);
      expect(link.output).to.match(/01234$/);
    });

    it('after drain', () => {
      const link = new UpstreamLink();
      link.open();
      link.connection.drain();
      link.receive(OK);

      expect([link.idle, link.transport.open]).to.deep.equal([0, false]);
    });

    it('but again after a 1.0 response that keeps it', () => {
      const link = new UpstreamLink();
      link.open();
      link.receive('HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n');

      expect(link.idle).to.equal(1);
    });
  });

  describe('that ends', () => {
    const fresh = () => new UpstreamLink();
    const used = () => {
      const link = new UpstreamLink();
      link.open();
      link.receive(OK);
      return link;
    };

    for (const [name, make, received, code] of [
      ['before a response, fresh', fresh, '', 'connection_reset'],
      ['before a response, reused', used, '', 'keepalive_race'],
      ['within a head, reused', used, 'HTTP/1.1 2', 'connection_reset'],
      ['behind an interim head, reused', used, 'HTTP/1.1 103 X\r\n\r\n', 'connection_reset'],
      [
        'before a known length',
        fresh,
        'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no',
        'response_truncated',
      ],
      [
        'directly behind the head',
        fresh,
        'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n',
        'response_truncated',
      ],
      [
        'before the last chunk',
        fresh,
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n',
        'response_truncated',
      ],
      [
        'before the last CRLF',
        fresh,
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n',
        'response_truncated',
      ],
    ] as const) {
      for (const how of ['fin', 'reset'] as const) {
        it(`with ${how} ${name}: ${code}`, async () => {
          const link = make();
          const { response } = link.open();
          if (received !== '') link.receive(received);

          link.transport[how]();
          await settled();

          expect(response.failure?.code).to.equal(code);
          expect(response.ended).to.equal(false);
          expect(link.closed).to.have.length(1);
        });
      }
    }

    it('with reset in a body without length: truncated', async () => {
      const link = new UpstreamLink();
      const { response } = link.open();
      link.receive('HTTP/1.1 200 OK\r\n\r\nhel');

      link.transport.reset();
      await settled();

      expect(response.failure?.code).to.equal('response_truncated');
    });

    it('is cancelled by its requester, and tells it nothing more', async () => {
      const link = new UpstreamLink();
      const { response, responder } = link.open();

      responder.abort(new Failure('downstream_closed'));
      link.receive(OK);
      await settled();

      expect([response.failure, response.heads, link.transport.open]).to.deep.equal([
        null,
        [],
        false,
      ]);
      expect(link.closed).to.have.length(1);
    });

    it('ignores whoever calls after its exchange', () => {
      const link = new UpstreamLink();
      const { responder } = link.open();
      link.receive(OK);
      const { response } = link.open({ path: '/2' });

      responder.data(bytes('x'));
      responder.end(null);
      responder.abort(new Failure('downstream_closed'));
      link.receive(OK);

      expect(response.body).to.equal('ok');
      expect(link.output).to.not.include('x');
    });
  });

  it('takes nothing as a response to a request that has not left yet', () => {
    const link = new UpstreamLink();
    link.open();
    link.receive(OK);
    link.transport.held = true;
    const { response } = link.open();

    link.receive(OK);

    expect(response.heads).to.deep.equal([]);
    expect(response.failure?.code).to.equal('keepalive_race');
    expect(link.transport.open).to.equal(false);
  });

  describe('back-pressure', () => {
    it('stops reading when the requester has no room, and goes on when it has', () => {
      const link = new UpstreamLink();
      const { response, responder } = link.open();
      response.room = false;
      link.receive('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234');
      const full = link.transport.paused;
      responder.resume();

      expect([full, link.transport.paused]).to.deep.equal([true, false]);
    });

    it('reads on when an exchange ends while it was paused', () => {
      const link = new UpstreamLink();
      const { response } = link.open();
      response.room = false;
      link.receive('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no');
      link.receive('k');

      expect([link.idle, link.transport.paused]).to.deep.equal([1, false]);
    });

    it('tells the requester when the peer does not read, and when it does again', () => {
      const link = new UpstreamLink();
      link.transport.held = true;
      link.transport.highWaterBytes = 100;
      const { response, responder } = link.open({ method: 'POST', ended: false });

      const took = responder.data(Buffer.alloc(200));
      link.transport.take();

      expect([took, response.resumed]).to.deep.equal([false, 1]);
    });
  });

  describe('tunnels', () => {
    const asked = () => {
      const link = new UpstreamLink();
      const opened = link.open({ protocol: 'websocket', ended: false });
      return { link, ...opened };
    };
    const GRANTED = 'HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nX: y\r\n\r\n';

    it('asks for an upgrade and relays raw bytes both ways', () => {
      const { link, response, responder } = asked();
      expect(link.output).to.equal(
        'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
      );
      response.onHead = () => responder.data(bytes('inside'));
      link.receive(`${GRANTED}HTTP/1.1`);
      responder.data(bytes('raw'));

      expect(response.statuses).to.deep.equal([101]);
      expect(response.body).to.equal('HTTP/1.1');
      expect(link.output).to.match(/\r\n\r\ninsideraw$/);
    });

    it('half-closes in both directions', async () => {
      const { link, response, responder } = asked();
      link.receive(GRANTED);
      responder.end(null);
      link.receive('late');
      link.transport.fin();
      await settled();

      expect([link.transport.ended, response.body, response.ended, response.failure]).to.deep.equal(
        [true, 'late', true, null],
      );
      expect([link.idle, link.closed.length]).to.deep.equal([0, 1]);
    });

    it('keeps what comes before the answer', () => {
      const { link, responder } = asked();
      responder.data(bytes('early'));
      const before = link.output;
      link.receive(GRANTED);

      expect(before).to.not.include('early');
      expect(link.output).to.match(/\r\n\r\nearly$/);
    });

    it('is used again after a refusal, when the requester has ended', () => {
      const { link, response, responder } = asked();
      response.onHead = () => responder.end(null);
      link.receive('HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n');

      expect([response.ended, link.idle]).to.deep.equal([true, 1]);
    });

    for (const [name, granted] of [
      ['another protocol', GRANTED.replace('WebSocket', 'h2c')],
      ['no Upgrade', 'HTTP/1.1 101 X\r\nConnection: Upgrade\r\n\r\n'],
      ['no Connection', 'HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n'],
    ] as const) {
      it(`refuses 101 with ${name}`, () => {
        const { link, response } = asked();
        link.receive(granted);

        expect(response.failure?.code).to.equal('upstream_protocol_error');
      });
    }

    it('opens behind a 2xx to CONNECT, whatever framing it carries', () => {
      const link = new UpstreamLink();
      const { response, responder } = link.open({
        method: 'CONNECT',
        authority: 'a:1',
        path: '',
        ended: false,
      });
      link.receive('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello');
      responder.data(bytes('raw'));

      expect(link.output).to.equal('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\nraw');
      expect(response.body).to.equal('hello');
    });
  });
});
