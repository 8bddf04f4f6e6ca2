import { createServer, type Server } from 'node:http';
import { expect } from 'chai';
import fc from 'fast-check';
import { Downstream, fieldsOf } from '../../support/http1-downstream.ts';
import { type Opinion, opinionOf } from '../../support/node-opinion.ts';
import { probes } from './probe-cases.ts';

function ours(stream: string): Downstream {
  const downstream = new Downstream();
  downstream.autoAnswer = (exchange) => exchange.answer();
  downstream.send(stream);
  return downstream;
}

async function compare(server: Server, stream: string): Promise<void> {
  const downstream = ours(stream);
  const whole = downstream.exchanges.filter(({ ended }) => ended);
  const { read, refused } = await opinionOf(server, stream);
  if (refused === 'HPE_INVALID_METHOD') return;

  expect(whole.length, `${JSON.stringify(stream)}: ${refused}`).to.be.lessThanOrEqual(read.length);
  for (const [index, { head, body, trailers }] of whole.entries()) {
    const other = read[index] as Opinion;
    expect([head.method, body]).to.deep.equal([other.method, other.body]);
    expect(other.target.endsWith(head.path)).to.equal(true);
    expect(trailers === null || other.fields.length > 0).to.equal(true);
    for (const field of fieldsOf(head.headers)) expect(other.fields).to.deep.include(field);
  }
}

const LINES = [
  'Content-Length: 5',
  'Content-Length: 0',
  'Content-Length: 05',
  'Content-Length : 5',
  'Content-Length: 5, 5',
  'content-length:5 ',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: Chunked ',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, gzip',
  'Connection: close',
  'Connection: x',
  'X: y',
  'X:\ty\t',
  'X: \xe9',
  'X: a\rb',
  ' folded',
  'X',
  ':',
  'Expect: 100-continue',
  'X: \0',
  'X_Y: z',
  'Content_Length: 3',
];
const BODIES = [
  '',
  'hello',
  '5\r\nhello\r\n0\r\n\r\n',
  '5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n',
  '5\nhello\n0\n\n',
  '0\r\n\r\n',
  '5 \r\nhello\r\n0\r\n\r\n',
  '05\r\nhello\r\n00\r\n\r\n',
  '5\r\nhello0\r\n\r\n',
];
const request = fc
  .record({
    start: fc.constantFrom(
      'GET / HTTP/1.1',
      'POST /a?b HTTP/1.1',
      'PUT http://a/x HTTP/1.1',
      'HEAD / HTTP/1.1',
      'GET / HTTP/1.0',
      'GET  / HTTP/1.1',
      'OPTIONS * HTTP/1.1',
      'GET / HTTP/1.2',
      'POST /\x7f HTTP/1.1',
    ),
    lines: fc.array(fc.constantFrom(...LINES), { maxLength: 3 }),
    ending: fc.constantFrom('\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r\r\n'),
    body: fc.constantFrom(...BODIES),
  })
  .map(
    ({ start, lines, ending, body }) =>
      `${start}\r\nHost: a\r\n${lines.map((line) => line + ending).join('')}\r\n${body}`,
  );

describe('node:http as a second opinion', function () {
  this.timeout(60_000);
  const server = createServer({ insecureHTTPParser: false, requireHostHeader: true });

  it('agrees on every probe that is forwarded', async () => {
    for (const { id, bytes } of probes) {
      // We drop framing fields from trailers, node refuses them (`reliability.md` §2, trailers).
      if (id !== 'SMUG-TRAILER-CL' && id !== 'SMUG-TRAILER-TE') await compare(server, bytes);
    }
  });

  it('agrees on generated requests, one behind another', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 3 }), (requests) =>
        compare(server, requests.join('')),
      ),
      { numRuns: 400 },
    );
  });

  it('is asked about requests of which many are forwarded', () => {
    const samples = fc.sample(request, { numRuns: 400, seed: 1 });

    const forwarded = samples.filter((stream) => ours(stream).exchanges.some(({ ended }) => ended));

    expect(forwarded.length).to.be.within(80, 320);
  });
});
