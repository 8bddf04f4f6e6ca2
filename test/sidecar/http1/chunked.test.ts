import { expect } from 'chai';
import { Downstream } from '../../support/http1-downstream.ts';

const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

/** Sends the body whole and byte by byte; both must come to the same. */
function read(body: string, limits = {}): { body: string; ended: boolean; statuses: number[] } {
  const results = [false, true].map((piecewise) => {
    const downstream = new Downstream({ limits });
    downstream.send(HEAD);
    if (piecewise) for (const byte of Buffer.from(body, 'latin1')) downstream.send(Buffer.of(byte));
    else downstream.send(body);
    return {
      body: downstream.last.body,
      ended: downstream.last.ended,
      statuses: downstream.statuses,
    };
  });
  expect(results[1]?.ended).to.equal(results[0]?.ended);
  expect(results[1]?.statuses).to.deep.equal(results[0]?.statuses);
  return results[0] as { body: string; ended: boolean; statuses: number[] };
}

describe('the chunked coding', () => {
  for (const [name, line] of [
    ['hexadecimal in both cases', 'a'],
    ['hexadecimal in upper case', 'A'],
    ['leading zeros up to 16 digits', '000000000000000a'],
    ['an extension without value', 'a;x'],
    ['an extension with a token', 'a;x=y'],
    ['an extension with a quoted string', 'a;x="y \\" \\\\ \t;=\x80"'],
    ['an empty quoted string', 'a;x=""'],
    ['several extensions', 'a;x=y;z;w="1"'],
    ['whitespace around ; and =', 'a \t; x = y ; z = "1" ;w'],
  ] as const) {
    it(`takes ${name}`, () => {
      expect(
        read(
          `${line}\r\n0123456789\r\n0${line.slice(line.indexOf(';') < 0 ? line.length : 1)}\r\n\r\n`,
        ),
      ).to.deep.equal({
        body: '0123456789',
        ended: true,
        statuses: [],
      });
    });
  }

  for (const line of [
    '',
    ';x',
    'g',
    '+a',
    '-a',
    '0xa',
    'a_',
    ' a',
    'a ',
    'a\t',
    'a b',
    'a;',
    'a; ',
    'a;;x',
    'a;x=',
    'a;x= ',
    'a;x ',
    'a;x=y ',
    'a;=y',
    'a;x="y',
    'a;x="y"z',
    'a;x="y" ',
    'a;x=y z',
    'a;x y',
    'a;x[',
    'a;x=[',
    'a;x="\x01"',
    'a;x="\\\x01"',
    'a;x\0',
    '0000000000000000a',
    '20000000000000',
    'FFFFFFFFFFFFFFFF',
    'a\r',
    'a;x\r',
  ]) {
    it(`refuses the chunk line ${JSON.stringify(line)}`, () => {
      const { ended, statuses } = read(`${line}\r\n0123456789\r\n0\r\n\r\n`);

      expect([ended, statuses]).to.deep.equal([false, [400]]);
    });
  }

  it('takes the largest size that is counted exactly', () => {
    expect(read('1fffffffffffff\r\nabc').statuses).to.deep.equal([]);
  });

  for (const [name, body] of [
    ['a bare LF behind the size', 'a\n0123456789\r\n0\r\n\r\n'],
    ['a bare LF behind the data', 'a\r\n0123456789\n0\r\n\r\n'],
    ['a bare LF as the empty line', '0\r\n\n'],
    ['a bare LF behind a trailer', '0\r\nX: y\n\r\n'],
    ['a bare CR behind the data', 'a\r\n0123456789\r0\r\n\r\n'],
    ['data longer than its size', '2\r\nabc\r\n0\r\n\r\n'],
    ['a folded trailer', '0\r\nX: y\r\n z\r\n\r\n'],
    ['whitespace directly behind the last chunk', '0\r\n X: y\r\n\r\n'],
    ['a space before the colon of a trailer', '0\r\nX : y\r\n\r\n'],
    ['a trailer without colon', '0\r\nX\r\n\r\n'],
    ['a look-alike in trailers', '0\r\nContent_Length: 1\r\n\r\n'],
    ['a NUL in a trailer', '0\r\nX: \0\r\n\r\n'],
  ] as const) {
    it(`refuses ${name}`, () => {
      const { ended, statuses } = read(body);

      expect([ended, statuses]).to.deep.equal([false, [400]]);
    });
  }

  for (const [name, limits, make] of [
    [
      'chunk line',
      { maxChunkLineBytes: 20 },
      (over: number) => `1;x=${'a'.repeat(16 + over)}\r\nz\r\n0\r\n\r\n`,
    ],
    [
      'sum of extensions',
      { maxChunkExtensionBytes: 20 },
      (over: number) =>
        `1;x=${'a'.repeat(7)}\r\nz\r\n1;y=${'a'.repeat(7 + over)}\r\nz\r\n0\r\n\r\n`,
    ],
    [
      'trailer section',
      { maxTrailerBytes: 20 },
      (over: number) => `0\r\nX: ${'a'.repeat(13 + over)}\r\n\r\n`,
    ],
    [
      'number of trailers',
      { maxTrailerFields: 3 },
      (over: number) => `0\r\n${'X: y\r\n'.repeat(3 + over)}\r\n`,
    ],
  ] as const) {
    it(`takes a ${name} at its limit and refuses one above it`, () => {
      const [fits, over] = [read(make(0), limits), read(make(1), limits)];

      expect([fits.ended, fits.statuses]).to.deep.equal([true, []]);
      expect([over.ended, over.statuses]).to.deep.equal([false, [400]]);
    });
  }

  it('hands data on in the pieces in which it came', () => {
    const downstream = new Downstream();
    const pieces: string[] = [];
    downstream.send(HEAD);
    downstream.last.data = (bytes) => {
      pieces.push(bytes.toString('latin1'));
      return true;
    };

    downstream.send('5\r\nab');
    downstream.send('cde\r\n2\r\nfg\r\n');

    expect(pieces).to.deep.equal(['ab', 'cde', 'fg']);
  });
});
