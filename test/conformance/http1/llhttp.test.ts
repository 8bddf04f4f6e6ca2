import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Downstream, fieldsOf } from '../../support/http1-downstream.ts';
import { UpstreamLink } from '../../support/http1-upstream.ts';
import { type LoggedMessage, type Vector, vectorsOf } from './vectors.ts';

/** A folder with llhttp's `test/request` and `test/response`, or with `request` and `response` in it. */
const root = process.env['OUTRIGGER_VECTORS'] ?? join('.tools', 'vectors', 'llhttp');

function load(): Vector[] {
  const vectors: Vector[] = [];
  for (const base of [
    root,
    join(root, 'test'),
    join(root, 'llhttp'),
    join(root, 'llhttp', 'test'),
  ]) {
    for (const kind of ['request', 'response']) {
      const folder = join(base, kind);
      if (!existsSync(folder)) continue;
      for (const file of readdirSync(folder).filter((name) => name.endsWith('.md'))) {
        vectors.push(...vectorsOf(`${kind}/${file}`, readFileSync(join(folder, file), 'utf8')));
      }
    }
  }
  return vectors;
}

/** llhttp knows a list of methods; we forward those it does not know (`reliability.md` §9). */
const UNKNOWN_METHOD = /^(Invalid method|Expected (space after method|SOURCE method))/;

/** What the codec handed on as a whole message, in the form that a log can be compared with. */
interface Forwarded {
  start: string;
  fields: [string, string][];
  bodyBytes: number;
}

function forwarded(vector: Vector): Forwarded[] {
  if (vector.kind === 'request') {
    const downstream = new Downstream({ allowConnect: true, defaultAuthority: 'localhost' });
    downstream.autoAnswer = (exchange) => exchange.answer();
    downstream.send(withHost(vector.bytes));
    return downstream.exchanges
      .filter(({ ended }) => ended)
      .map(({ head, body, trailers }) => ({
        start: `${head.method} ${head.path}`,
        fields: [...fieldsOf(head.headers), ...(trailers === null ? [] : fieldsOf(trailers))],
        bodyBytes: body.length,
      }));
  }
  const link = new UpstreamLink();
  const { response } = link.open();
  link.receive(vector.bytes);
  link.transport.fin();
  const head = response.heads.at(-1);
  if (!response.ended || head === undefined) return [];
  const trailers = response.trailers === null ? [] : fieldsOf(response.trailers);
  return [
    {
      start: String(head.status),
      fields: [...fieldsOf(head.headers), ...trailers],
      bodyBytes: response.body.length,
    },
  ];
}

/** Many vectors leave Host out, which a proxy refuses for its own reason: they get one. */
function withHost(bytes: string): string {
  return bytes.replace(
    /(HTTP\/1\.1\r\n)((?:[^\r\n]+\r\n)*\r\n)/g,
    (whole, line: string, fields: string) =>
      /^host[ \t]*:/im.test(fields) ? whole : `${line}Host: localhost\r\n${fields}`,
  );
}

/** Whether the message is one that llhttp read, less what a proxy takes out. */
function same(message: Forwarded, logged: LoggedMessage): boolean {
  if (message.bodyBytes !== logged.bodyBytes) return false;
  if (logged.method !== '' && !message.start.startsWith(`${logged.method} `)) return false;
  if (logged.status !== '' && message.start !== logged.status) return false;
  return message.fields.every(([name, value]) =>
    logged.fields.some(
      ([other, text]) =>
        other.toLowerCase() === name.toLowerCase() &&
        (text === value || text.includes('\\') || /[^ -~]/.test(value)),
    ),
  );
}

describe('llhttp vectors', () => {
  const vectors = load();

  if (vectors.length === 0) {
    it(`are skipped: none in ${root} (set OUTRIGGER_VECTORS)`, function () {
      this.skip();
    });
    return;
  }

  for (const vector of vectors) {
    const strict = vector.refused !== null && !UNKNOWN_METHOD.test(vector.refused);
    it(`${vector.name}: ${strict ? `not forwarded (${vector.refused})` : 'refused, or forwarded the same'}`, () => {
      // The log of a response that ends with its connection lacks that end.
      const untilClose = vector.kind === 'response' && vector.refused === null;
      const known = vector.messages.filter(({ complete }) => complete || untilClose);

      const seen = forwarded(vector);

      if (!strict && vector.refused !== null) return;
      expect(seen.length).to.be.lessThanOrEqual(known.length);
      for (const [index, message] of seen.entries()) {
        const logged = known[index] as LoggedMessage;
        expect(same(message, logged), JSON.stringify({ message, logged })).to.equal(true);
      }
    });
  }
});
