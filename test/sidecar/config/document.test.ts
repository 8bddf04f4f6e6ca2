import { expect } from 'chai';
import fc from 'fast-check';
import { formatPath } from '../../../sidecar/config/config-error.ts';
import { type ConfigDocument, parseDocument } from '../../../sidecar/config/document.ts';

/** The document, and one line for each mistake: `line: path: message`. */
function read(text: string, json = false): { document: ConfigDocument | null; told: string[] } {
  const { document, mistakes } = parseDocument(text, json);
  const told = mistakes.map(({ line, path, message }) =>
    [line, ...(path.length === 0 ? [] : [formatPath(path)]), message].join(': '),
  );
  return { document, told };
}

function parse(text: string): ConfigDocument {
  const { document, told } = read(text);
  if (document === null || told.length > 0) throw new Error(told.join('\n'));
  return document;
}

function refusals(text: string, json = false): string[] {
  return read(text, json).told;
}

describe('configuration document', () => {
  it('knows the line of keys, of list items, and of the nearest part around what is missing', () => {
    const document = parse('a:\n  b: 1\nlist:\n  - x: 1\n  -\n    y: 2\n');

    const at = (...path: (string | number)[]) => document.lineOf(path);

    expect([at('a'), at('a', 'b'), at('list', 0), at('list', 1, 'y')]).to.deep.equal([1, 2, 4, 6]);
    expect([at('a', 'missing'), at('list', 0, 'missing'), at('missing')]).to.deep.equal([1, 4, 1]);
  });

  it('follows an alias to the line of its anchor', () => {
    const document = parse('a: &shared\n  b: 1\nc: *shared\n');

    expect(document.value).to.deep.equal({ a: { b: 1 }, c: { b: 1 } });
    expect(document.lineOf(['c', 'b'])).to.equal(2);
  });

  for (const key of ['__proto__', 'constructor', 'prototype']) {
    it(`refuses the key ${key} at any depth`, () => {
      expect(refusals(`a:\n  - ${key}: 1\n`)).to.deep.equal([
        `2: a[0].${key}: this key is never allowed`,
      ]);
      expect(refusals(`{"a":{"${key}":{"x":1}}}`, true)).to.deep.equal([
        `1: a.${key}: this key is never allowed`,
      ]);
    });
  }

  it('refuses a key that is given twice, in YAML and in JSON', () => {
    expect(refusals('a: 1\nb:\n  c: 1\n  c: 2\n')).to.deep.equal([
      '4: b.c: expected a key once, got it twice',
    ]);
    expect(refusals('{"a": 1,\n"a": 2}', true)).to.deep.equal([
      '2: a: expected a key once, got it twice',
    ]);
    expect(refusals('{"a": 1, "\\u0061": 2}', true)).to.have.length(1);
  });

  it('refuses an alias bomb', () => {
    const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 9; level++) {
      bomb.push(
        `a${level}: &a${level} [${Array(10)
          .fill(`*a${level - 1}`)
          .join(', ')}]`,
      );
    }

    const { document, told } = read(bomb.join('\n'));

    expect(document).to.equal(null);
    expect(told).to.deep.equal([
      '4: a3[7]: expected aliases that repeat at most 10000 parts, got more',
    ]);
  });

  it('takes as many aliases as a long list of upstreams needs, each a value of its own', () => {
    const text = `a: &policy { max: 1, on: [502, 503] }\nlist:\n${'  - *policy\n'.repeat(1000)}`;

    const { list } = parse(text).value as { list: { max: number }[] };

    expect(list).to.have.length(1000);
    expect(list[999]).to.deep.equal({ max: 1, on: [502, 503] });
    expect(list[999]).to.not.equal(list[0]);
  });

  it('refuses an alias of nothing, or of something around it, and says where', () => {
    expect(refusals('a: 1\nb: { c: *x }\n')).to.deep.equal([
      '2: b.c: expected the anchor `&x` before its alias, got none',
    ]);
    expect(refusals('a: &x\n  b: *x\n')).to.deep.equal([
      '2: a.b: expected the anchor `&x` before its alias, got one inside it',
    ]);
    expect(refusals('a: *x\nb: &x 1\n')).to.have.length(1);
  });

  it('keeps what stands beside its mistakes, of a key given twice the first', () => {
    const text = 'a: 1\na: 2\n__proto__: &p { x: 1 }\n[b]: 3\nc: !int 4\nd: *p\n---\ne: 5\n';

    const { document, told } = read(text);

    expect(document?.value).to.deep.equal({ a: 1, c: '4', d: { x: 1 } });
    expect(document?.lineOf(['a'])).to.equal(1);
    expect(told.map((line) => line.split(':', 1)[0])).to.have.members(['2', '3', '4', '5', '7']);
  });

  it('refuses a second document and says where it begins', () => {
    expect(refusals('a: 1\n---\nb: 2\n')[0]).to.match(/^[23]: expected one document/);
  });

  it('refuses tags, merge keys as anything but a plain key, and keys that are not text', () => {
    expect(refusals('a: !!binary aGk=\n')).to.deep.equal([
      '1: expected a value without a tag, got "!" at column 4',
    ]);
    expect(refusals('a: !custom x\n')).to.deep.equal([
      '1: expected a value without a tag, got "!" at column 4',
    ]);
    expect(refusals('? [a]\n: 1\n')).to.deep.equal([
      '1: expected text as a key, got "[" at column 3',
    ]);
    expect(refusals('a: &x 1\n*x : 2\n')).to.deep.equal([
      '2: expected text as a key, got "*" at column 1',
    ]);
    expect(parse('<<: { a: 1 }\n').value).to.deep.equal({ '<<': { a: 1 } });
  });

  it('reads words as YAML 1.2 does', () => {
    expect(parse('a: no\nb: on\nc: 0o17\nd: 1_000\ne: ~\n').value).to.deep.equal({
      a: 'no',
      b: 'on',
      c: 15,
      d: '1_000',
      e: null,
    });
  });

  for (const [text, ...expected] of [
    [
      'a: 1\nb: [1, 2\nc: 3\n',
      '3: expected YAML, got "c" at column 1: flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    [
      'a:\n  b: c: d\n',
      '2: expected YAML, got "c" at column 6: nested mappings are not allowed in compact mappings',
    ],
    ['a: "b', '1: expected YAML, got the end of the file: missing closing "quote'],
    [
      'a: `b`',
      '1: expected YAML, got "`" at column 4: plain value cannot start with reserved character `',
    ],
  ] as const) {
    it(`says what is no YAML, where, and what stands there: ${JSON.stringify(text)}`, () => {
      const { document, told } = read(text);

      expect(document).to.equal(null);
      expect(told).to.deep.equal(expected);
    });
  }

  for (const [text, expected] of [
    ['{"a": 1,\n "b": }', '2: expected a JSON value, got "}" at column 7'],
    ['a: 1', '1: expected a JSON value, got "a" at column 1'],
    ['{"a": 1,\n}', '2: expected a key in double quotes, got "}" at column 1'],
    ['{"a": [1, 2}', '1: expected `,` or `]`, got "}" at column 12'],
    ['{"a": 01}', '1: expected `,` or `}`, got "1" at column 8'],
    ['{"a" 1}', '1: expected `:`, got "1" at column 6'],
    ['{"a": 1', '1: expected `,` or `}`, got the end of the file'],
    ['{}\n{}', '2: expected the end of the file, got "{" at column 1'],
    [
      '{"a": "x\\q"}',
      '1: expected a closing `"`, or a character or escape of JSON text, got "\\" at column 9',
    ],
    ['', '1: expected a JSON value, got the end of the file'],
  ] as const) {
    it(`says what is no JSON, where, and what stands there: ${JSON.stringify(text)}`, () => {
      expect(refusals(text, true)).to.deep.equal([expected]);
    });
  }

  it('shows no more than a character of a text that it cannot read', () => {
    for (const text of [
      'token: @s3cret',
      'a: {\ns3cret: x',
      'a: b\n- s3cret',
      '"a" s3cret',
      'a: 1\n"s3cret',
    ]) {
      for (const json of [false, true]) {
        const [told = ''] = refusals(text, json);

        expect(told).to.match(/^[0-9]: expected /);
        expect(told).to.not.contain('cret');
      }
    }
  });

  it('refuses what nests deeper than its parser can bear, in a moment', () => {
    const deep = [
      '['.repeat(500_000),
      '{"a":'.repeat(100_000),
      '- '.repeat(500_000),
      '? '.repeat(500_000),
      Array.from({ length: 1000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
    ];

    for (const text of deep) {
      const [first] = refusals(text);
      expect(first).to.match(/^[0-9]+: nested too deeply$/);
    }
  });

  it('never throws', () => {
    const pieces = fc.constantFrom(
      'a',
      ':',
      ' ',
      '\n',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '&x ',
      '*x',
      '!',
      '|',
      '>',
      '"',
      "'",
      '#',
      '%',
      '---\n',
      '\t',
      '?',
      ',',
      '\u0000',
      '\ud800',
    );
    const text = fc.array(pieces, { maxLength: 60 }).map((parts) => parts.join(''));

    fc.assert(
      fc.property(text, fc.boolean(), (input, json) => {
        parseDocument(input, json);
      }),
      { numRuns: 1500 },
    );
  });
});
