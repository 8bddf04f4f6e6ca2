import { expect } from 'chai';
import { Http1Path } from '../../support/http1-path.ts';
import { statusOf, valuesOf, type WireMessage } from '../../support/one-reading.ts';
import type { RawClient } from '../../support/raw-client.ts';
import { answerTo, type OriginConnection } from '../../support/recording-origin.ts';

const HANDSHAKE =
  'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const ACCEPTED =
  'HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n';
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

describe('the order of events in HTTP/1.1 through the sidecar', function () {
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

  /** A path of its own, and the connection on which the origin sees it, with the request once it is whole. */
  function expecting(
    at: 'head' | 'end',
    run: (connection: OriginConnection, request: WireMessage | null) => void = () => undefined,
  ) {
    const own = `/order/${++asked}`;
    const seen = {
      connection: null as OriginConnection | null,
      request: null as WireMessage | null,
    };
    path.origin.scripts.set(own, {
      at,
      run: (connection, request) => {
        seen.connection = connection;
        seen.request = request;
        run(connection, request);
      },
    });
    const connection = async (): Promise<OriginConnection> => {
      await path.origin.when(() => seen.connection !== null, 'the request at the origin');
      return seen.connection as OriginConnection;
    };
    return { own, seen, connection };
  }

  async function opened(bytes: string): Promise<RawClient> {
    return (await path.dial()).send(bytes);
  }

  const post = (own: string, fields: string) =>
    `POST ${own} HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n`;
  const whole = (connection: OriginConnection) =>
    path.origin.when(
      () => connection.text.endsWith('hello') || connection.text.endsWith('0\r\n\r\n'),
      'the body',
    );

  describe('100-continue', () => {
    const length = 'Expect: 100-continue\r\nContent-Length: 5\r\n';
    const chunked = 'Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n';

    for (const [name, fields, body] of [
      ['a length', length, 'hello'],
      ['chunks', chunked, '5\r\nhello\r\n0\r\n\r\n'],
    ] as const) {
      it(`lets the body go when the origin says so, with ${name}`, async () => {
        const { own, connection } = expecting('head', (it) => it.send(CONTINUE));
        const client = await opened(post(own, fields));

        expect((await client.response('POST'))?.start).to.equal('HTTP/1.1 100 Continue');
        client.send(body);
        const origin = await connection();
        await whole(origin);
        expect(valuesOf(path.origin.requests.at(-1) as WireMessage, 'expect')).to.have.length(1);
        origin.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        expect((await client.answer('POST'))?.body).to.equal('ok');
        client.send('GET /after HTTP/1.1\r\nHost: localhost\r\n\r\n');
        expect((await client.answer())?.body).to.equal('GET /after 0 ');
        client.hangUp();
      });

      it(`does not hold back a body that does not wait, with ${name}`, async () => {
        const { own, connection } = expecting('head');
        const client = await opened(post(own, fields) + body);
        const origin = await connection();
        await whole(origin);
        origin.send(`${CONTINUE}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`);

        expect((await client.answer('POST'))?.body).to.equal('ok');
        client.hangUp();
      });

      it(`needs no 100 from the origin, with ${name}`, async () => {
        const { own, connection } = expecting('head');
        const client = await opened(post(own, fields));
        await connection();
        client.send(body);
        const origin = await connection();
        await whole(origin);
        origin.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');

        expect((await client.response('POST'))?.body).to.equal('ok');
        client.hangUp();
      });

      for (const status of [401, 413, 417, 200])
        it(`is answered with ${status} instead, and the body never sent, with ${name}`, async () => {
          const { own, connection } = expecting('head', (it) => {
            it.silent = true;
            it.send(`HTTP/1.1 ${status} No\r\nContent-Length: 2\r\n\r\nno`);
          });
          const client = await opened(post(own, fields));
          const answer = await client.response('POST');
          client.send(body).send('GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n');

          expect([answer?.start.slice(9, 12), answer?.body]).to.deep.equal([String(status), 'no']);
          expect(valuesOf(answer as WireMessage, 'connection')).to.deep.equal(['close']);
          expect(await client.ended()).to.equal('fin');
          const origin = await connection();
          await path.origin.when(() => origin.over, 'the end of the upstream connection');
          expect(origin.rest).not.to.contain('hello');
        });
    }

    it('is not passed to a client of HTTP/1.0', async () => {
      const { own } = expecting('head', (it) =>
        it.send(`${CONTINUE}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`),
      );
      const client = await opened(`POST ${own} HTTP/1.0\r\nHost: localhost\r\n${length}\r\nhello`);

      expect((await client.response('POST'))?.body).to.equal('ok');
      client.hangUp();
    });
  });

  describe('a final response before the request is over', () => {
    const BIG = 8_000_000;

    it('reaches the client whole and ends both connections', async () => {
      const { own, connection } = expecting('head', (it) => {
        it.silent = true;
        it.socket.pause();
        it.send(`HTTP/1.1 413 Content Too Large\r\nContent-Length: 6\r\n\r\nenough`);
      });
      const client = await opened(post(own, `Content-Length: ${BIG}\r\n`));
      client.send('x'.repeat(100_000));
      const answer = await client.answer('POST');

      expect([answer?.start.slice(9, 12), answer?.body]).to.deep.equal(['413', 'enough']);
      await client.ended();
      const origin = await connection();
      origin.socket.resume();
      await path.origin.when(() => origin.over, 'the end of the upstream connection');
    });

    for (const ending of ['fin', 'reset'] as const)
      it(`reaches a client that goes on sending, though the origin ends with ${ending}`, async () => {
        let got = 0;
        for (let i = 0; i < 20; i++) {
          const { own } = expecting('head', (it) =>
            it.finish(
              'HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 6\r\n\r\nenough',
              ending,
            ),
          );
          const client = await opened(post(own, `Content-Length: ${BIG}\r\n`));
          const piece = 'x'.repeat(65_536);
          for (
            let sent = 0;
            sent < 100 && !client.text.includes('\r\n\r\n') && !client.over;
            sent++
          ) {
            client.send(piece);
            await new Promise((resolve) => setImmediate(resolve));
          }
          const answer = await client.answer('POST');
          if (answer !== null && statusOf(answer) === 413) got++;
          else expect(answer === null ? 502 : statusOf(answer)).to.equal(502);
          client.hangUp();
        }
        // What a reset throws away on the origin's side never comes.
        expect(got).to.be.greaterThan(ending === 'fin' ? 19 : 9);
      });

    it('is not taken from an origin that answers before it was asked', async () => {
      const count = path.origin.connections.length;
      const { own } = expecting('head', (it) =>
        it.finish('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 'keep'),
      );
      const client = await opened(post(own, 'Content-Length: 5\r\n'));

      expect((await client.answer('POST'))?.body).to.equal('ok');
      await client.ended();
      expect(path.origin.connections.length).to.be.at.least(count);
    });
  });

  describe('bytes that nobody asked for', () => {
    it('end an idle connection, and the next client gets its own answer', async () => {
      const { own, connection } = expecting('end', (it, request) =>
        it.send(answerTo(request as WireMessage)),
      );
      const client = await opened(`GET ${own} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      expect((await client.answer())?.body).to.equal(`GET ${own} 0 `);

      const origin = await connection();
      origin.send('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen');
      await path.origin.when(() => origin.over, 'the end of the connection');
      client.send('GET /mine HTTP/1.1\r\nHost: localhost\r\n\r\n');
      expect((await client.answer())?.body).to.equal('GET /mine 0 ');
      client.hangUp();
    });
  });

  describe('a response cut off at any byte', () => {
    const head = 'HTTP/1.1 200 OK\r\nX: y\r\n';
    for (const [name, text] of [
      ['a length', `${head}Content-Length: 5\r\n\r\nhello`],
      [
        'chunks',
        `${head}Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nT: u\r\n\r\n`,
      ],
      ['no framing', `${head}\r\nhello`],
    ] as const)
      for (const ending of ['fin', 'reset'] as const)
        for (const version of ['1.1', '1.0'] as const)
          it(`is never taken for whole: ${name}, ${ending}, HTTP/${version}`, async () => {
            for (let cut = 0; cut <= text.length; cut++) {
              const { own } = expecting('end', (it) => it.finish(text.slice(0, cut), ending));
              const client = await opened(`GET ${own} HTTP/${version}\r\nHost: localhost\r\n\r\n`);
              const answer = await client.answer();
              const over = answer === null ? await client.ended() : null;
              const status = answer === null ? 'broken' : statusOf(answer);
              const at = `cut at ${cut}: ${client.text}`;

              const complete =
                name === 'no framing'
                  ? ending === 'fin' && cut >= text.indexOf('\r\n\r\n') + 4
                  : cut === text.length;
              if (complete) {
                expect([status, answer?.body], at).to.deep.equal([
                  200,
                  text.slice(0, cut).endsWith('hello') || name === 'chunks'
                    ? 'hello'
                    : text.slice(text.indexOf('\r\n\r\n') + 4, cut),
                ]);
              } else if (cut < text.indexOf('\r\n\r\n') + 4) expect(status, at).to.equal(502);
              else expect([status, over === null], at).to.deep.equal(['broken', false]);
              client.hangUp();
            }
          });
  });

  describe('a client that leaves', () => {
    const text = (own: string) =>
      `POST ${own} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`;

    for (const ending of ['half', 'reset', 'hangUp'] as const)
      it(`by ${ending} at any byte leaves nothing at the origin that reads as whole`, async () => {
        const length = text('/order/000').length;
        for (let cut = 0; cut < length; cut++) {
          const { own, seen } = expecting('end');
          const client = await opened(text(own).slice(0, cut));
          client[ending]();
          if (ending === 'half') await client.ended();
          client.hangUp();
          await path.nothingHalfSaid();
          expect(seen.request).to.equal(null);
        }
      });

    for (const ending of ['reset', 'hangUp'] as const)
      it(`by ${ending} while it waits takes its request back${ending === 'hangUp' ? ' as soon as it is answered' : ''}`, async () => {
        for (let i = 0; i < 20; i++) {
          const { own, connection } = expecting('end');
          const client = await opened(`GET ${own} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
          const origin = await connection();
          client[ending]();
          if (ending === 'hangUp')
            origin.send(`HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n${'x'.repeat(200_000)}`);
          await path.origin.when(() => origin.over, 'the end of the upstream connection');
        }
      });

    it('by a reset right behind its request takes it back, if it was sent at all', async () => {
      for (let i = 0; i < 20; i++) {
        const { own, seen } = expecting('end');
        (await opened(`GET ${own} HTTP/1.1\r\nHost: localhost\r\n\r\n`)).reset();
        await path.othersAreServed();
        await path.origin.when(
          () => seen.connection === null || seen.connection.over,
          'the end of the upstream connection',
        );
      }
    });
  });

  describe('an upgrade', () => {
    const ask = (own: string) => `GET ${own} HTTP/1.1\r\nHost: localhost\r\n${HANDSHAKE}\r\n`;

    it('carries bytes both ways, early ones too, and ends half by half', async () => {
      const { own, connection } = expecting('end', (it) => {
        it.silent = true;
        it.send(`${ACCEPTED}from origin`);
      });
      const client = await opened(`${ask(own)}from client`);
      const answer = await client.response();
      const origin = await connection();
      await path.origin.when(() => origin.rest.endsWith('from client'), 'early bytes');
      await client.when(() => client.rest === 'from origin', 'early bytes');

      expect(answer?.start).to.equal('HTTP/1.1 101 Switching Protocols');
      expect(valuesOf(answer as WireMessage, 'upgrade').length).to.equal(1);
      const request = path.origin.requests.at(-1) as WireMessage;
      expect(valuesOf(request, 'upgrade')).to.deep.equal(['websocket']);
      expect(valuesOf(request, 'connection')).to.deep.equal(['Upgrade']);
      client.send('GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n').half();
      await path.origin.when(() => origin.ending === 'fin', 'the end of the client');
      origin.send('\0\r\n\xff last words');
      origin.socket.end();
      expect(await client.ended()).to.equal('fin');
      expect(client.rest).to.equal('from origin\0\r\n\xff last words');
      expect(
        origin.text.endsWith('from clientGET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n'),
      ).to.equal(true);
      path.origin.connections = path.origin.connections.filter((it) => it !== origin);
    });

    it('that is refused is an ordinary response, and the connection goes on', async () => {
      const { own } = expecting('end', (it) =>
        it.send('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'),
      );
      const client = await opened(ask(own));
      expect((await client.answer())?.body).to.equal('no');
      client.send('GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n');

      expect((await client.answer())?.body).to.equal('GET /next 0 ');
      client.hangUp();
    });

    for (const status of [200, 403, 426])
      it(`that is refused with ${status} never has its early bytes read as a request`, async () => {
        const { own, connection } = expecting('end', (it) =>
          it.send(`HTTP/1.1 ${status} No\r\nContent-Length: 2\r\n\r\nno`),
        );
        const client = await opened(`${ask(own)}GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n`);
        const answer = await client.answer();

        expect(answer?.body).to.equal('no');
        expect(await client.ended()).to.equal('fin');
        expect(client.rest).to.equal('');
        expect((await connection()).rest).to.equal('');
        expect(path.origin.requests.some(({ start }) => start.includes('/hidden'))).to.equal(false);
      });

    it('to another protocol than was asked for is refused', async () => {
      const { own } = expecting('end', (it) => {
        it.silent = true;
        it.send('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n');
      });
      const client = await opened(ask(own));

      expect((await client.answer())?.start).to.equal('HTTP/1.1 502 Bad Gateway');
      client.hangUp();
    });

    it('that is broken off by a reset is broken off for the other side too', async () => {
      const { own, connection } = expecting('end', (it) => {
        it.silent = true;
        it.send(ACCEPTED);
      });
      const client = await opened(ask(own));
      await client.response();
      (await connection()).socket.resetAndDestroy();

      expect(await client.ended()).to.equal('reset');
    });

    it('by a client that is reset ends at the origin', async () => {
      const { own, connection } = expecting('end', (it) => {
        it.silent = true;
        it.send(ACCEPTED);
      });
      const client = await opened(ask(own));
      await client.response();
      const origin = await connection();
      client.send('last words').reset();

      await path.origin.when(() => origin.over, 'the end at the origin');
    });
  });
});
