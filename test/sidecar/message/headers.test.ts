import { expect } from 'chai';
import type { HeaderBlock } from '../../../sidecar/message/head.ts';
import { fieldLines, HeaderList } from '../../../sidecar/message/headers.ts';
import { Downstream, fieldsOf } from '../../support/http1-downstream.ts';

type Fields = readonly (readonly [string, string])[];

function received(fields: Fields): HeaderBlock {
  const downstream = new Downstream();
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  downstream.send(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`);
  return downstream.last.head.headers;
}

for (const [kind, make] of [
  ['received fields', received],
  ['listed fields', (fields: Fields) => HeaderList.of(fields)],
] as const) {
  describe(kind, () => {
    const fields: Fields = [
      ['X-One', '1'],
      ['Accept', '*/*'],
      ['x-one', '2'],
      ['Traceparent', '00-a'],
      ['X-Empty', ''],
    ];

    it('are visited in wire order, case kept', () => {
      expect(fieldsOf(make(fields))).to.deep.equal(fields);
    });

    it('are found without regard to case, the first of a name first', () => {
      const headers = make(fields);

      expect(
        ['x-one', 'accept', 'traceparent', 'x-empty', 'x-on', 'x-oneX', 'etag', ''].map((name) =>
          headers.get(name),
        ),
      ).to.deep.equal(['1', '*/*', '00-a', '', null, null, null, null]);
    });

    it('are replaced by one at the end', () => {
      const headers = make(fields);

      headers.set('x-one', '3');
      headers.set('x-new', '4');
      headers.set('x-new', '5');

      expect(fieldsOf(headers)).to.deep.equal([
        ['Accept', '*/*'],
        ['Traceparent', '00-a'],
        ['X-Empty', ''],
        ['x-one', '3'],
        ['x-new', '5'],
      ]);
      expect([headers.get('x-one'), headers.get('x-new')]).to.deep.equal(['3', '5']);
    });

    it('are appended beside one of the same name', () => {
      const headers = make(fields);

      headers.append('accept', 'b');

      expect(headers.get('accept')).to.equal('*/*');
      expect(fieldsOf(headers).at(-1)).to.deep.equal(['accept', 'b']);
    });

    it('are removed, all of a name', () => {
      const headers = make(fields);

      headers.remove('x-one');
      headers.remove('absent');

      expect(headers.get('x-one')).to.equal(null);
      expect(fieldsOf(headers).map(([name]) => name)).to.deep.equal([
        'Accept',
        'Traceparent',
        'X-Empty',
      ]);
    });

    it('are copied so that edits of one never show in the other', () => {
      const original = make(fields);
      original.append('x-before', '1');
      const copy = original.copy();
      const second = copy.copy();

      original.remove('accept');
      copy.set('x-one', 'c');
      copy.append('x-copy', '1');
      second.remove('x-before');

      expect(fieldsOf(original).map(([name]) => name)).to.deep.equal([
        'X-One',
        'x-one',
        'Traceparent',
        'X-Empty',
        'x-before',
      ]);
      expect(fieldsOf(copy).map(([name]) => name)).to.deep.equal([
        'Accept',
        'Traceparent',
        'X-Empty',
        'x-before',
        'x-one',
        'x-copy',
      ]);
      expect(fieldsOf(second)).to.deep.equal(fields);
    });

    it('are written in order, one line each', () => {
      const headers = make(fields);
      headers.remove('accept');
      headers.append('x-new', 'n');

      expect(fieldLines(headers)).to.equal(
        'X-One: 1\r\nx-one: 2\r\nTraceparent: 00-a\r\nX-Empty: \r\nx-new: n\r\n',
      );
    });

    for (const [name, value] of [
      ['x y', 'a'],
      ['', 'a'],
      ['x:', 'a'],
      ['x', 'a\r\nb: c'],
      ['x', 'a\n'],
      ['x', 'a\0'],
      ['x', '\u0100'],
      ['transfer_encoding', 'chunked'],
    ] as const) {
      it(`are not written at all with ${JSON.stringify([name, value])} among them`, () => {
        const headers = make(fields);
        headers.append(name, value);

        expect(fieldLines(headers)).to.equal(null);
      });
    }

    it('are written without connection fields', () => {
      const headers = make(fields.slice(0, 1));
      for (const name of [
        'connection',
        'Keep-Alive',
        'te',
        'upgrade',
        'transfer-encoding',
        'Content-Length',
        'host',
        'proxy-connection',
        'http2-settings',
      ]) {
        headers.append(name, 'x');
      }

      expect(fieldLines(headers)).to.equal('X-One: 1\r\n');
    });
  });
}

describe('received fields with odd whitespace', () => {
  it('are written with one space and nothing behind the value', () => {
    const downstream = new Downstream();
    downstream.send(
      'GET / HTTP/1.1\r\nA:1\r\nHost: a\r\nB:\t2 \t\r\nC: 3\r\nD:  4  5\r\nE:\t6\r\n\r\n',
    );

    expect(fieldLines(downstream.last.head.headers)).to.equal(
      'A: 1\r\nB: 2\r\nC: 3\r\nD: 4  5\r\nE: 6\r\n',
    );
  });
});
