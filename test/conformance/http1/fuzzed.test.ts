import { createServer, type Server } from 'node:http';
import { expect } from 'chai';
import fc from 'fast-check';
import { Http1Path } from '../../support/http1-path.ts';
import { mutatedRequests, mutatedResponses } from '../../support/mutated-messages.ts';
import { type Opinion, opinionOf, responseOpinionOf } from '../../support/node-opinion.ts';
import { readResponse, statusOf, UNFINISHED, valuesOf } from '../../support/one-reading.ts';

/** `OUTRIGGER_FUZZ_RUNS` for a longer search; a seed of its own then, which a failure prints. */
const RUNS = Number(process.env['OUTRIGGER_FUZZ_RUNS'] ?? 2000);
const SEEDED = RUNS === 2000 ? { seed: 20_261_122 } : {};

/** Written anew by the sidecar, or added. */
const OURS =
  /^(host|connection|keep-alive|proxy-connection|te|upgrade|http2-settings|transfer-encoding|content-length|traceparent|tracestate|x-request-id|expect)$/i;

/**
 * What node refuses and may be taken: blanks around the parts of a chunk extension (RFC 9112 §7.1.1), and
 * framing and connection fields among trailers, which are dropped (§7.1.2), a tab
 * behind a framing value (§5), framing and connection fields of an interim head.
 */
const stricterThanWeMustBe = [
  /^[0-9a-f]+(?:[\t ]+;|[\t ]*;.*[\t ])/im,
  /\r\n0+(?:;[^\r\n]*)?\r\n(?:[^\r\n]+\r\n)*(?:content-length|transfer-encoding|connection|upgrade):/i,
  /^(?:content-length|transfer-encoding):.*\t\r$/im,
  /^HTTP\/1\.1 1[0-9]{2} .*\r\n(?:.+\r\n)*(?:connection|content-length|transfer-encoding|upgrade):/i,
];

const lines = (fields: readonly (readonly [string, string])[]) =>
  fields.filter(([name]) => !OURS.test(name)).map(([name, value]) => `${name}: ${value}`);

/** The origin-form of a target, as far as our own fine requests have others. */
const pathOf = (target: string) => target.replace(/^https?:\/\/[^/?]*/i, '') || '/';

describe('mutated messages through the sidecar', function () {
  this.timeout(RUNS * 20 + 20_000);

  let path: Http1Path;
  let server: Server;

  before(async () => {
    path = await Http1Path.start();
    server = createServer({ insecureHTTPParser: false, requireHostHeader: true });
  });

  after(() => path.stop());

  /** Sends the bytes, ends, and returns what the origin was sent meanwhile and what came back. */
  async function forwarded(bytes: string): Promise<{ text: string; answers: string }> {
    path.origin.connections = path.origin.connections.filter(({ over }) => !over);
    const before = new Map(path.origin.connections.map((it) => [it, it.text.length]));
    const client = await path.dial();
    client.send(bytes).half();
    await client.when(() => client.over, 'the end of the connection');
    expect(client.ending).to.equal('fin');
    const texts = path.origin.connections.map((it) => it.text.slice(before.get(it) ?? 0));
    client.hangUp();
    return { text: texts.join(''), answers: client.text };
  }

  it('reach the origin as node:http reads them, or not at all: requests', async () => {
    let whole = 0;
    await fc.assert(
      fc.asyncProperty(mutatedRequests, async (bytes) => {
        const { text, answers } = await forwarded(bytes);
        const [arrived, sent] = [await opinionOf(server, text), await opinionOf(server, bytes)];

        expect(path.origin.problems).to.deep.equal([]);
        whole += arrived.read.length;
        let at = 0;
        for (const [index, ours] of arrived.read.entries()) {
          if (sent.read.length <= index && stricterThanWeMustBe.some((it) => it.test(bytes))) break;
          const theirs = sent.read[index] as Opinion;
          expect(theirs, `node refuses it: ${sent.refused}`).not.to.equal(undefined);
          expect([ours.method, ours.target, ours.body]).to.deep.equal([
            theirs.method,
            pathOf(theirs.target),
            theirs.body,
          ]);
          const dropped = new Set(listed(theirs.fields));
          const kept = theirs.fields.filter(([name]) => !dropped.has(name.toLowerCase()));
          expect(lines(ours.fields)).to.deep.equal(lines(kept));
          const answer = readResponse(answers, at, ours.method);
          if (answer === UNFINISHED) throw new Error(`no answer to ${ours.method}: ${answers}`);
          at = answer.end;
          if (ours.method !== 'HEAD')
            expect(
              answer.body.startsWith(`${ours.method} ${ours.target} ${ours.body.length} `),
            ).to.equal(true);
        }
      }),
      { numRuns: RUNS, ...SEEDED },
    );
    await path.othersAreServed();
    await path.nothingHalfSaid();
    expect(whole).to.be.greaterThan(RUNS / 4);
  });

  it('reach the client as node:http reads them, or broken, or not at all: responses', async () => {
    let whole = 0;
    let asked = 0;
    await fc.assert(
      fc.asyncProperty(mutatedResponses, async (bytes) => {
        const own = `/mutated/${++asked}`;
        path.origin.scripts.set(own, { at: 'end', run: (it) => it.finish(bytes, 'fin') });
        const client = await path.dial();
        client.send(`GET ${own} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
        const answer = await client.answer();
        client.hangUp();
        path.origin.scripts.delete(own);
        path.origin.connections = path.origin.connections.filter(({ over }) => !over);

        if (answer === null || valuesOf(answer, 'outrigger-error').length > 0) return;
        whole++;
        const opinion = await responseOpinionOf(bytes);
        if (opinion === null && stricterThanWeMustBe.some((it) => it.test(bytes))) return;
        // Whatever their framing says, they have no body; their connection is not used again.
        if (opinion === null && [204, 304].includes(statusOf(answer))) return;
        expect([statusOf(answer), answer.body]).to.deep.equal([opinion?.status, opinion?.body]);
        const dropped = new Set(listed(opinion?.fields ?? []));
        const kept = opinion?.fields.filter(([name]) => !dropped.has(name.toLowerCase())) ?? [];
        expect(lines(answer.fields)).to.deep.equal(lines(kept));
      }),
      { numRuns: RUNS, ...SEEDED },
    );
    await path.othersAreServed();
    expect(whole).to.be.greaterThan(RUNS / 10);
  });
});

/** Names that Connection lists. */
function listed(fields: readonly [string, string][]): string[] {
  return fields.flatMap(([name, value]) =>
    name.toLowerCase() === 'connection' ? value.toLowerCase().split(/[ \t]*,[ \t]*/) : [],
  );
}
