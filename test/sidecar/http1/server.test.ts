import { expect } from 'chai';
import { Failure } from '../../../sidecar/failure.ts';
import { HeaderList } from '../../../sidecar/message/headers.ts';
import { Downstream, type SeenExchange } from '../../support/http1-downstream.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
const bytes = (text: string) => Buffer.from(text, 'latin1');
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('a downstream connection', () => {
  it('serves one request after another', () => {
    const downstream = new Downstream();

    downstream.send(GET);
    downstream.last.answer(200, 'one');
    downstream.send(GET);
    downstream.last.answer(404, 'two');

    expect(downstream.output).to.equal(
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none' +
        'HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\ntwo',
    );
    expect(downstream.connection.idle).to.equal(true);
  });

  it('hands over a pipelined request only when the response before it has ended', () => {
    const downstream = new Downstream();

    downstream.send(GET + GET.replace('/', '/2'));
    const before = downstream.exchanges.length;
    downstream.last.answer();
    const after = downstream.exchanges.map(({ head }) => head.path);

    expect(before).to.equal(1);
    expect(after).to.deep.equal(['/', '/2']);
  });

  it('answers a thousand pipelined requests in order although each is answered at once', () => {
    const downstream = new Downstream();
    downstream.autoAnswer = (exchange) => exchange.answer(200, exchange.head.path);

    downstream.send(Array.from({ length: 1000 }, (_, i) => GET.replace('/', `/${i}`)).join(''));

    const paths = [...downstream.output.matchAll(/\r\n\r\n\/(\d+)/g)].map((match) =>
      Number(match[1]),
    );
    expect(paths).to.deep.equal(Array.from({ length: 1000 }, (_, i) => i));
  });

  it('stops reading when too much waits behind an exchange, and goes on later', () => {
    const downstream = new Downstream({ limits: { maxWaitingBytes: 64 } });
    downstream.send(GET);
    const first = downstream.last;

    downstream.send(GET);
    const below = downstream.transport.paused;
    downstream.send(GET + GET);
    const above = downstream.transport.paused;
    downstream.autoAnswer = (exchange) => exchange.answer();
    first.answer();

    expect([below, above, downstream.transport.paused]).to.deep.equal([false, true, false]);
    expect(downstream.statuses).to.deep.equal([200, 200, 200, 200]);
  });

  for (const [name, request] of [
    ['of known length', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789'],
    [
      'in chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n6;a="b\\""\r\n456789\r\n0\r\nX-Sum: 1\r\n\r\n',
    ],
  ] as const) {
    it(`reads a body ${name}, however it is split, and the request behind it`, () => {
      const stream = request + GET;
      for (let split = 0; split <= stream.length; split++) {
        const downstream = new Downstream();
        downstream.autoAnswer = (exchange) => exchange.answer();

        downstream.send(stream.slice(0, split));
        downstream.send(stream.slice(split));

        expect(downstream.exchanges.map(({ body, ended }) => [body, ended])).to.deep.equal([
          ['0123456789', true],
          ['', true],
        ]);
      }
    });
  }

  it('hands on trailers', () => {
    const downstream = new Downstream();

    downstream.send(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\nCookie: x\r\n\r\n',
    );

    expect(downstream.last.trailers?.get('x-sum')).to.equal('1');
    expect(downstream.last.trailers?.get('cookie')).to.equal(null);
  });

  describe('writes a response', () => {
    const written = (request: string, answer: (exchange: SeenExchange) => void): string => {
      const downstream = new Downstream();
      downstream.send(request);
      answer(downstream.last);
      return downstream.output;
    };

    it('of unknown length in chunks, with trailers', () => {
      const output = written(GET, ({ requester }) => {
        requester.head({
          status: 200,
          headers: HeaderList.of(),
          contentLength: null,
          ended: false,
        });
        requester.data(bytes('hello'));
        requester.data(bytes(''));
        requester.data(bytes('0123456789abcdef'));
        requester.end(HeaderList.of([['grpc-status', '0']]));
      });

      expect(output).to.equal(
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\ngrpc-status: 0\r\n\r\n',
      );
    });

    it('of unknown length to a 1.0 client by closing', () => {
      const downstream = new Downstream();
      downstream.send('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
      downstream.last.begin(200, null);
      downstream.last.requester.data(bytes('hello'));
      downstream.last.requester.end(HeaderList.of([['x', 'y']]));

      expect(downstream.output).to.equal('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello');
      expect(downstream.transport.ended).to.equal(true);
    });

    it('without a body to HEAD, its length kept', () => {
      const output = written(GET.replace('GET', 'HEAD'), (exchange) =>
        exchange.answer(200, 'hello'),
      );

      expect(output).to.equal('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
    });

    it('without framing for 204', () => {
      expect(written(GET, (exchange) => exchange.answer(204))).to.equal(
        'HTTP/1.1 204 No Content\r\n\r\n',
      );
    });

    it('with the length of the representation for 304', () => {
      const output = written(GET, (exchange) => {
        exchange.requester.head({
          status: 304,
          headers: HeaderList.of(),
          contentLength: 9,
          ended: true,
        });
        exchange.requester.end(null);
      });

      expect(output).to.equal('HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n');
    });

    it('without the connection fields somebody set', () => {
      const output = written(GET, (exchange) =>
        exchange.answer(200, '', [
          ['Connection', 'x'],
          ['Content-Length', '99'],
          ['Transfer-Encoding', 'chunked'],
          ['X', 'y'],
        ]),
      );

      expect(output).to.equal('HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 0\r\n\r\n');
    });

    for (const [name, value] of [
      ['x', 'a\r\nSet-Cookie: b'],
      ['x', 'a\0'],
      ['x y', 'a'],
      ['', 'a'],
      ['Content_Length', '5'],
      ['x', '\u0141'],
    ] as const) {
      it(`never with the field ${JSON.stringify(name)}: ${JSON.stringify(value)}`, () => {
        const downstream = new Downstream();
        downstream.send(GET);

        downstream.last.answer(200, '', [[name, value]]);

        expect(downstream.statuses).to.deep.equal([500]);
        expect(downstream.output).to.not.include('Set-Cookie');
        expect(downstream.last.failure?.code).to.equal('internal_error');
      });
    }
  });

  describe('a response that goes wrong', () => {
    it('is reset when it breaks off after its head', () => {
      const downstream = new Downstream();
      downstream.send(GET);
      downstream.last.begin(200, 10);
      downstream.last.requester.data(bytes('01234'));

      downstream.last.requester.abort(new Failure('response_truncated'));

      expect(downstream.transport.how).to.equal('reset');
      expect(downstream.transport.ended).to.equal(false);
    });

    it('is reset when it is shorter than its head says', () => {
      const downstream = new Downstream();
      downstream.send(GET);
      downstream.last.begin(200, 10);

      downstream.last.requester.end(null);

      expect(downstream.transport.how).to.equal('reset');
      expect(downstream.last.failure?.code).to.equal('internal_error');
    });

    it('never writes more than its head says', () => {
      const downstream = new Downstream();
      downstream.send(GET);
      downstream.last.begin(200, 3);

      downstream.last.requester.data(bytes('1234'));

      expect(downstream.output.endsWith('\r\n\r\n')).to.equal(true);
      expect(downstream.transport.how).to.equal('reset');
    });

    it('is answered with the failure when nothing of it was sent', () => {
      const downstream = new Downstream();
      downstream.send(GET);

      downstream.last.requester.abort(new Failure('connection_reset'));

      expect(downstream.statuses).to.deep.equal([502]);
      expect(downstream.output).to.include('outrigger-error: connection_reset');
      expect(downstream.transport.ended).to.equal(true);
    });

    it('ignores whoever calls after its end', () => {
      const downstream = new Downstream();
      downstream.send(GET);
      const { last } = downstream;
      last.answer();

      last.requester.head({
        status: 200,
        headers: HeaderList.of(),
        contentLength: 1,
        ended: false,
      });
      last.requester.data(bytes('x'));
      last.requester.end(null);
      last.requester.abort(new Failure('internal_error'));
      last.requester.resume();

      expect(downstream.output).to.equal(OK);
      expect(downstream.transport.open).to.equal(true);
    });
  });

  describe('keeps or ends the connection', () => {
    it('ends it after Connection: close', () => {
      const downstream = new Downstream();
      downstream.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n');
      downstream.last.answer();

      expect(downstream.output).to.include('Connection: close');
      expect(downstream.transport.ended).to.equal(true);
    });

    it('ends it after a response that came before the end of its request', () => {
      const downstream = new Downstream();
      downstream.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n0123');
      downstream.last.begin(413, 5);
      downstream.last.requester.data(bytes('large'));
      downstream.last.requester.end(null);

      expect(downstream.output)
        .to.include('Connection: close')
        .and.to.match(/large$/);
      expect(downstream.transport.ended).to.equal(true);
      downstream.send('4567');
      expect(downstream.last.body).to.equal('0123');
    });

    it('throws away late input, at most so much, then reads no more until its time is over', () => {
      const downstream = new Downstream({ limits: { maxDiscardBytes: 100 } });
      downstream.send('bad\n');

      downstream.send('x'.repeat(100));
      const atLimit = downstream.transport.paused;
      downstream.send('x');

      expect([atLimit, downstream.transport.paused]).to.deep.equal([false, true]);
      expect(downstream.transport.how).to.equal('open');
      downstream.clock.advance(1000);
      expect(downstream.transport.how).to.equal('destroyed');
    });

    it('destroys after a second when the peer does not close', () => {
      const downstream = new Downstream();
      downstream.send('bad\n');

      downstream.clock.advance(999);
      const before = downstream.transport.how;
      downstream.clock.advance(1);

      expect([before, downstream.transport.how]).to.deep.equal(['open', 'destroyed']);
    });

    it('does not cut a response that a slow reader still takes', () => {
      const downstream = new Downstream();
      downstream.transport.held = true;
      downstream.send('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
      downstream.last.answer(200, 'x'.repeat(1000));

      for (let second = 0; second < 10; second++) {
        downstream.clock.advance(1000);
        downstream.transport.take(50);
      }
      const reading = downstream.transport.how;
      downstream.clock.advance(61_000);

      expect([reading, downstream.transport.how]).to.deep.equal(['open', 'reset']);
    });

    it('drains: at once when idle', () => {
      const downstream = new Downstream();

      downstream.connection.drain();

      expect(downstream.transport.ended).to.equal(true);
    });

    it('drains: after the exchange that runs, which says so', () => {
      const downstream = new Downstream();
      downstream.send(GET);
      downstream.connection.drain();
      const before = downstream.transport.ended;
      downstream.last.answer();

      expect(before).to.equal(false);
      expect(downstream.output).to.include('Connection: close');
      expect(downstream.transport.ended).to.equal(true);
    });

    it('drains: after an exchange whose head is out already', () => {
      const downstream = new Downstream();
      downstream.send(GET);
      downstream.last.begin(200, 1);
      downstream.connection.drain();
      downstream.last.requester.data(bytes('x'));
      downstream.last.requester.end(null);

      expect(downstream.transport.ended).to.equal(true);
    });
  });

  describe('when the peer', () => {
    it('half-closes after its request, gets the response and then FIN', () => {
      const downstream = new Downstream();
      downstream.send(GET);
      downstream.transport.fin();
      const failure = downstream.last.failure;
      downstream.last.answer(200, 'late');

      expect(failure).to.equal(null);
      expect(downstream.output).to.include('late');
      expect(downstream.transport.ended).to.equal(true);
    });

    it('half-closes behind pipelined requests, gets all responses', () => {
      const downstream = new Downstream();
      downstream.send(GET + GET);
      downstream.transport.fin();
      downstream.last.answer();
      downstream.last.answer();

      expect(downstream.statuses).to.deep.equal([200, 200]);
      expect(downstream.transport.ended).to.equal(true);
    });

    it('resets, the exchange is aborted', async () => {
      const downstream = new Downstream();
      downstream.send(GET);

      downstream.transport.reset();
      await settled();

      expect(downstream.last.failure?.code).to.equal('downstream_closed');
      expect(downstream.closed).to.equal(1);
    });

    it('ends within a body, the exchange is aborted', () => {
      const downstream = new Downstream();
      downstream.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc');

      downstream.transport.fin();

      expect(downstream.last.failure?.code).to.equal('downstream_closed');
      expect(downstream.last.ended).to.equal(false);
    });

    it('ends within a head, it is refused', () => {
      const downstream = new Downstream();
      downstream.send('GET / HT');

      downstream.transport.fin();

      expect(downstream.statuses).to.deep.equal([400]);
    });

    it('ends within a head, its answer names the request as it was recorded', () => {
      const downstream = new Downstream();
      downstream.send('GET / HT');

      downstream.transport.fin();

      expect(downstream.output).to.contain('\r\nx-request-id: refused-1\r\n');
    });

    it('ends when idle, the connection ends', () => {
      const downstream = new Downstream();

      downstream.transport.fin();

      expect(downstream.output).to.equal('');
      expect(downstream.transport.ended).to.equal(true);
    });

    it('sends a malformed chunk, the exchange is aborted and answered', () => {
      const downstream = new Downstream();
      downstream.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc');

      expect(downstream.last.failure?.code).to.equal('downstream_protocol_error');
      expect(downstream.last.ended).to.equal(false);
      expect(downstream.statuses).to.deep.equal([400]);
    });

    it('sends a malformed chunk behind a response head, the response is reset', () => {
      const downstream = new Downstream();
      downstream.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
      downstream.last.begin(200, 5);

      downstream.send('x');

      expect(downstream.transport.how).to.equal('reset');
    });
  });

  describe('back-pressure', () => {
    it('stops reading a body the responder cannot take, and goes on when it can', () => {
      const downstream = new Downstream();
      downstream.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n');
      downstream.last.room = false;

      downstream.send('01234');
      const full = downstream.transport.paused;
      downstream.last.requester.resume();

      expect([full, downstream.transport.paused]).to.deep.equal([true, false]);
    });

    it('tells the responder when the peer does not read, and when it does again', () => {
      const downstream = new Downstream();
      downstream.transport.held = true;
      downstream.transport.highWaterBytes = 100;
      downstream.send(GET);
      downstream.last.begin(200, null);

      const took = downstream.last.requester.data(Buffer.alloc(200));
      downstream.transport.take();

      expect([took, downstream.last.resumed]).to.deep.equal([false, 1]);
    });

    it('ignores the resume of an exchange that is over', () => {
      const downstream = new Downstream();
      downstream.send(GET);
      const late = downstream.last.requester;
      downstream.last.answer();
      downstream.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n');
      downstream.last.room = false;
      downstream.send('01234');

      late.resume();

      expect(downstream.transport.paused).to.equal(true);
    });
  });

  describe('interim responses', () => {
    const EXPECT =
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n';

    it('passes 100 to a client that waits for it, then the body', () => {
      const downstream = new Downstream();
      downstream.send(EXPECT);
      expect(downstream.last.head.headers.get('expect')).to.equal('100-continue');
      downstream.last.begin(100, null);
      downstream.send('ab');
      downstream.last.answer();

      expect(downstream.output).to.equal(`HTTP/1.1 100 Continue\r\n\r\n${OK}`);
    });

    it('closes behind a final answer to an expectation, since the body may or may not come', () => {
      const downstream = new Downstream();
      downstream.send(EXPECT);
      downstream.last.answer(401);

      expect(downstream.output).to.include('Connection: close');
      expect(downstream.transport.ended).to.equal(true);
    });

    it('passes 103 with its fields', () => {
      const downstream = new Downstream();
      downstream.send(GET);
      downstream.last.begin(103, null, [['Link', '</a>']]);

      expect(downstream.output).to.equal('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
    });

    for (const [name, request, status] of [
      ['100 nobody waits for', GET, 100],
      ['any to a 1.0 client', 'GET / HTTP/1.0\r\nHost: a\r\n\r\n', 103],
      ['101 nobody asked for', GET, 101],
    ] as const) {
      it(`drops ${name}`, () => {
        const downstream = new Downstream();
        downstream.send(request);
        downstream.last.begin(status, null);

        expect(downstream.output).to.equal('');
      });
    }
  });

  describe('time', () => {
    it('ends an idle connection', () => {
      const downstream = new Downstream();

      downstream.clock.advance(74_999);
      const before = downstream.transport.ended;
      downstream.clock.advance(1);

      expect([before, downstream.transport.ended]).to.deep.equal([false, true]);
      expect(downstream.output).to.equal('');
    });

    it('counts idle time from the end of the last response', () => {
      const downstream = new Downstream();
      downstream.clock.advance(70_000);
      downstream.send(GET);
      downstream.clock.advance(70_000);
      downstream.last.answer();

      downstream.clock.advance(74_999);
      const before = downstream.transport.ended;
      downstream.clock.advance(1);

      expect([before, downstream.transport.ended]).to.deep.equal([false, true]);
    });

    it('answers 408 when a head takes longer than its total, however it drips', () => {
      const downstream = new Downstream();
      downstream.send('G');
      for (let i = 0; i < 9; i++) {
        downstream.clock.advance(1000);
        downstream.send('E');
      }
      const before = downstream.output;
      downstream.clock.advance(1000);

      expect(before).to.equal('');
      expect(downstream.statuses).to.deep.equal([408]);
      expect(downstream.refusals[0]?.code).to.equal('request_header_timeout');
    });

    it('answers 408 when a body stalls', () => {
      const downstream = new Downstream();
      downstream.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n');
      downstream.clock.advance(20_000);
      downstream.send('x'.repeat(3000));
      downstream.clock.advance(29_999);
      const before = downstream.output;
      downstream.clock.advance(1);

      expect(before).to.equal('');
      expect(downstream.statuses).to.deep.equal([408]);
      expect(downstream.last.failure?.code).to.equal('request_body_timeout');
    });

    it('names request and trace in the answer it makes in place of the responder', () => {
      const downstream = new Downstream();
      downstream.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n');
      downstream.clock.advance(60_000);

      expect(downstream.output).to.contain('\r\nx-request-id: seen-1\r\n');
      expect(downstream.output).to.contain('"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"');
    });

    it('answers 408 when a body drips below the slowest rate', () => {
      const downstream = new Downstream({ limits: { minBodyBytesPerSecond: 64 } });
      downstream.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n');
      for (let i = 0; i < 61 && downstream.output === ''; i++) {
        downstream.clock.advance(1000);
        downstream.send('x'.repeat(50));
      }

      expect(downstream.statuses).to.deep.equal([408]);
    });

    it('lets a body at the slowest rate go on', () => {
      const downstream = new Downstream({ limits: { minBodyBytesPerSecond: 64 } });
      downstream.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n');
      for (let i = 0; i < 300; i++) {
        downstream.clock.advance(1000);
        downstream.send('x'.repeat(65));
      }

      expect(downstream.output).to.equal('');
    });

    it('does not hold against the sender what the responder cannot take', () => {
      const downstream = new Downstream();
      downstream.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n');
      downstream.last.room = false;
      downstream.send('01234');

      downstream.clock.advance(600_000);

      expect(downstream.output).to.equal('');
    });

    it('does not hold against the sender that the 100 it waits for is late', () => {
      const downstream = new Downstream();
      downstream.send(
        'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n',
      );

      downstream.clock.advance(100_000);
      const waiting = downstream.output;
      downstream.last.begin(100, null);
      downstream.clock.advance(30_000);

      expect(waiting).to.equal('');
      expect(downstream.statuses).to.deep.equal([408]);
    });

    it('resets a connection whose peer takes nothing for a minute', () => {
      const downstream = new Downstream();
      downstream.transport.held = true;
      downstream.transport.highWaterBytes = 10;
      downstream.send(GET);
      downstream.last.begin(200, null);
      downstream.last.requester.data(bytes('0123456789'));
      downstream.transport.take(1);

      downstream.clock.advance(60_000);
      const progressed = downstream.transport.how;
      downstream.clock.advance(60_000);

      expect([progressed, downstream.transport.how]).to.deep.equal(['open', 'reset']);
    });
  });

  describe('tunnels', () => {
    const UPGRADE =
      'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, keep-alive\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: k\r\n\r\n';

    it('asks for an upgrade and relays raw bytes once it is granted', () => {
      const downstream = new Downstream();
      downstream.send(`${UPGRADE}early`);
      const { last } = downstream;
      expect(last.head).to.include({ protocol: 'WebSocket', ended: false, contentLength: null });
      expect([last.body, last.ended]).to.deep.equal(['', false]);

      last.requester.head({
        status: 101,
        headers: HeaderList.of([['Sec-WebSocket-Accept', 'x']]),
        contentLength: null,
        ended: false,
      });
      downstream.send('GET raw');
      last.requester.data(bytes('\x81\x00'));

      expect(last.body).to.equal('earlyGET raw');
      expect(downstream.output).to.equal(
        'HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\r\n\x81\x00',
      );
    });

    it('half-closes a tunnel in both directions', async () => {
      const downstream = new Downstream();
      downstream.send(UPGRADE);
      const { last } = downstream;
      last.begin(101, null);

      last.requester.end(null);
      const halfClosed = downstream.transport.ended;
      downstream.send('more');
      downstream.transport.fin();
      await settled();

      expect([halfClosed, last.body, last.ended]).to.deep.equal([true, 'more', true]);
      expect(last.failure).to.equal(null);
      expect(downstream.closed).to.equal(1);
    });

    it('aborts a tunnel of which one direction has ended', () => {
      const downstream = new Downstream();
      downstream.send(UPGRADE);
      downstream.last.begin(101, null);
      downstream.last.requester.end(null);

      downstream.last.requester.abort(new Failure('stream_idle_timeout'));

      expect(downstream.transport.how).to.equal('reset');
    });

    it('serves a refused upgrade as plain HTTP and goes on', () => {
      const downstream = new Downstream();
      downstream.send(UPGRADE);
      downstream.last.answer(403);
      const ended = downstream.exchanges[0]?.ended;
      downstream.send(GET);
      downstream.last.answer();

      expect(ended).to.equal(true);
      expect(downstream.statuses).to.deep.equal([403, 200]);
    });

    it('closes behind a refused upgrade when bytes wait, and never parses them', () => {
      const downstream = new Downstream();
      downstream.send(UPGRADE + GET);
      downstream.last.answer(403);

      expect(downstream.exchanges).to.have.length(1);
      expect(downstream.output).to.include('Connection: close');
      expect(downstream.transport.ended).to.equal(true);
    });

    it('closes behind an upgrade that is not passed on when bytes wait, and never parses them', () => {
      for (const offer of ['Upgrade: h2c\r\n', 'Upgrade: websocket\r\nUpgrade: websocket\r\n']) {
        const downstream = new Downstream();
        downstream.send(
          `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n${offer}\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n`,
        );
        downstream.last.answer(200, 'plain');

        expect(downstream.exchanges).to.have.length(1);
        expect(downstream.output).to.include('Connection: close');
        expect(downstream.transport.ended).to.equal(true);
      }
    });

    it('drops other upgrades and h2c settings', () => {
      const downstream = new Downstream();
      downstream.send(
        'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n\r\n',
      );

      expect(downstream.last.head).to.include({ protocol: null, ended: true });
      expect(downstream.last.head.headers.get('http2-settings')).to.equal(null);
    });

    it('takes CONNECT where it is allowed', () => {
      const downstream = new Downstream({ allowConnect: true });
      downstream.send('CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\nhello');
      expect(downstream.last.head).to.include({ method: 'CONNECT', authority: 'a:443', path: '' });
      downstream.last.begin(200, null);

      expect(downstream.output).to.equal('HTTP/1.1 200 OK\r\n\r\n');
      expect(downstream.last.body).to.equal('hello');
    });

    for (const [name, head] of [
      ['without a port', 'CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n'],
      ['with another Host', 'CONNECT a:443 HTTP/1.1\r\nHost: b:443\r\n\r\n'],
      ['with a body', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nContent-Length: 1\r\n\r\n'],
      ['with a path', 'CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ] as const) {
      it(`refuses CONNECT ${name}`, () => {
        const downstream = new Downstream({ allowConnect: true });

        downstream.send(head);

        expect(downstream.statuses).to.deep.equal([400]);
      });
    }
  });
});
