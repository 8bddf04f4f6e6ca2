import { expect } from 'chai';
import fc from 'fast-check';
import { HeaderList } from '../../../sidecar/message/headers.ts';
import { isConnectionField, isLookAlike } from '../../../sidecar/message/names.ts';
import {
  all,
  fieldBytes,
  hostBytes,
  targetBytes,
  tokenBytes,
} from '../../../sidecar/message/octets.ts';
import { Downstream, fieldsOf } from '../../support/http1-downstream.ts';
import { UpstreamLink } from '../../support/http1-upstream.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');

function textOf(allowed: Uint8Array, minLength: number, maxLength: number): fc.Arbitrary<string> {
  const codes = [...allowed.keys()].filter((code) => allowed[code] === 1);
  return fc
    .array(fc.constantFrom(...codes), { minLength, maxLength })
    .map((chosen) => String.fromCharCode(...chosen));
}

const notBlank = (code: number) => code !== 0x20 && code !== 0x09;
const trimmed = (text: string) =>
  text === '' || (notBlank(text.charCodeAt(0)) && notBlank(text.charCodeAt(text.length - 1)));

const fieldName = textOf(tokenBytes, 1, 24).filter(
  (name) => !isConnectionField(name) && !isLookAlike(name) && name.toLowerCase() !== 'expect',
);
const fieldValue = textOf(fieldBytes, 0, 40).filter(trimmed);
const fieldList = fc.array(fc.tuple(fieldName, fieldValue), { maxLength: 12 });
const method = textOf(tokenBytes, 1, 32).filter(
  (name) => !['TRACE', 'CONNECT', 'PRI'].includes(name),
);
const path = textOf(targetBytes, 0, 60).map((rest) => `/${rest}`);
const authority = textOf(hostBytes, 1, 30);
const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 8 });
const cuts = fc.array(fc.nat(400), { maxLength: 12 });

/** The stream cut at the given places. */
function cut(stream: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (stream.length + 1)))].sort(
    (a, b) => a - b,
  );
  const parts: Buffer[] = [];
  let from = 0;
  for (const place of [...sorted, stream.length]) {
    if (place > from) parts.push(stream.subarray(from, place));
    from = place;
  }
  return parts;
}

/** Everything that a downstream connection made of the bytes, in a form that compares. */
function messages(parts: readonly Buffer[]): unknown {
  const downstream = new Downstream({ defaultAuthority: 'd', allowConnect: true });
  downstream.autoAnswer = (exchange) => exchange.answer(200, 'x');
  for (const part of parts) downstream.send(part);
  // An unfinished head may be refused now or when its line is complete, but not differently.
  downstream.transport.fin();
  return {
    exchanges: downstream.exchanges.map(({ head, body, ended, trailers, failure }) => ({
      ...head,
      headers: fieldsOf(head.headers),
      body,
      ended,
      trailers: trailers === null ? null : fieldsOf(trailers),
      failure: failure?.code,
    })),
    statuses: downstream.statuses,
  };
}

const FRAGMENTS = [
  'GET ',
  'POST ',
  '/',
  ' HTTP/1.1',
  ' HTTP/1.0',
  '\r\n',
  '\n',
  '\r',
  'Host: a',
  'Host:',
  'Content-Length: 5',
  'Content-Length: 0',
  'Transfer-Encoding: chunked',
  'Connection: close',
  'Expect: 100-continue',
  '\r\n\r\n',
  'hello',
  '5\r\nhello\r\n',
  '0\r\n\r\n',
  '0\r\nX: y\r\n\r\n',
  ';a=b',
  ';a="b"',
  ' ',
  '\t',
  ':',
  ',',
  'X: y',
  '\0',
  '\xff',
  'Upgrade: websocket',
  'Connection: upgrade',
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n',
];
const nearlyHttp = fc
  .array(fc.constantFrom(...FRAGMENTS), { maxLength: 20 })
  .map((parts) => bytes(parts.join('')));

describe('HTTP/1.1 properties', function () {
  this.timeout(60_000);
  const runs = { numRuns: 1500 };

  it('any split of the bytes gives the same messages', () => {
    fc.assert(
      fc.property(nearlyHttp, cuts, (stream, places) => {
        expect(messages(cut(stream, places))).to.deep.equal(messages(cut(stream, [])));
      }),
      runs,
    );
  });

  it('no input throws, and nothing is answered twice', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), cuts, (input, places) => {
        const stream = Buffer.from(input);
        messages(cut(stream, places));
        const link = new UpstreamLink();
        const { response } = link.open();
        for (const part of cut(stream, places)) link.receive(part);
        expect(response.ended && response.failure !== null).to.equal(false);
      }),
      runs,
    );
  });

  it('a written request is read as the same request', () => {
    fc.assert(
      fc.property(method, path, authority, fieldList, (verb, target, host, fields) => {
        const link = new UpstreamLink();
        link.open({ method: verb, path: target, authority: host, headers: HeaderList.of(fields) });
        const downstream = new Downstream();
        downstream.send(bytes(link.output));

        const { head } = downstream.last;
        expect([head.method, head.path, head.authority]).to.deep.equal([verb, target, host]);
        expect(fieldsOf(head.headers)).to.deep.equal(fields);
      }),
      runs,
    );
  });

  it('a received request is written as the same request again', () => {
    fc.assert(
      fc.property(method, path, authority, fieldList, (verb, target, host, fields) => {
        const lines = fields.map(([name, value]) => `${name}:\t${value} \r\n`).join('');
        const downstream = new Downstream();
        downstream.send(bytes(`${verb} ${target} HTTP/1.1\r\nHost: ${host}\r\n${lines}\r\n`));
        const link = new UpstreamLink();
        link.open(downstream.last.head);
        const again = new Downstream();
        again.send(bytes(link.output));

        expect(fieldsOf(again.last.head.headers)).to.deep.equal(fields);
      }),
      runs,
    );
  });

  it('a written response is read as the same response, whatever its pieces', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 200, max: 599 }),
        fieldList,
        pieces,
        cuts,
        (status, fields, parts, places) => {
          const downstream = new Downstream();
          downstream.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
          downstream.last.begin(status, null, fields);
          for (const part of parts) downstream.last.requester.data(Buffer.from(part));
          downstream.last.requester.end(HeaderList.of([['x-sum', '1']]));
          const link = new UpstreamLink();
          const { response } = link.open();
          for (const part of cut(bytes(downstream.output), places)) link.receive(part);

          const bodiless = status === 204 || status === 304;
          expect(response.failure).to.equal(null);
          expect(response.heads.map((head) => [head.status, fieldsOf(head.headers)])).to.deep.equal(
            [[status, fields]],
          );
          expect(response.body).to.equal(bodiless ? '' : Buffer.concat(parts).toString('latin1'));
          expect([response.ended, response.trailers?.get('x-sum')]).to.deep.equal([
            true,
            bodiless ? undefined : '1',
          ]);
        },
      ),
      runs,
    );
  });

  it('a field that cannot be read back is never written', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 8 }),
        fc.string({ unit: 'binary', maxLength: 8 }),
        (name, value) => {
          const link = new UpstreamLink();
          link.open({ headers: HeaderList.of([[name, value]]) });
          if (link.output === '') return;
          const downstream = new Downstream();
          downstream.send(bytes(link.output));

          const read = fieldsOf(downstream.last.head.headers);
          expect(read.length).to.be.lessThanOrEqual(1);
          expect(all(link.output.replaceAll('\r\n', ''), fieldBytes)).to.equal(true);
        },
      ),
      runs,
    );
  });
});
