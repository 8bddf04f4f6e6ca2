import { expect } from 'chai';
import fc from 'fast-check';
import { formatConfigError } from '../../../sidecar/config/config-error.ts';
import { type ConfigDocument, parseDocument } from '../../../sidecar/config/document.ts';

function parse(text: string): ConfigDocument {
  const parsed = parseDocument(text, 'f', false);
  if (!parsed.ok) throw new Error(parsed.errors.map(formatConfigError).join('\n'));
  return parsed.document;
}

function refusals(text: string, json = false): string[] {
  const parsed = parseDocument(text, 'f', json);
  return parsed.ok ? [] : parsed.errors.map(formatConfigError);
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
        `f:2: a[0].${key}: this key is never allowed`,
      ]);
      expect(refusals(`{"a":{"${key}":{"x":1}}}`, true)).to.deep.equal([
        `f:1: a.${key}: this key is never allowed`,
      ]);
    });
  }

  it('refuses a key that is given twice, in YAML and in JSON', () => {
    expect(refusals('a: 1\nb:\n  c: 1\n  c: 2\n')).to.deep.equal([
      'f:4: b.c: expected a key once, got it twice',
    ]);
    expect(refusals('{"a": 1,\n"a": 2}', true)).to.deep.equal([
      'f:2: a: expected a key once, got it twice',
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

    expect(refusals(bomb.join('\n'))).to.deep.equal([
      'f: too many aliases, or one without an anchor',
    ]);
  });

  it('refuses a second document and says where it begins', () => {
    expect(refusals('a: 1\n---\nb: 2\n')[0]).to.match(/^f:[23]: expected one document/);
  });

  it('refuses tags, merge keys as anything but a plain key, and keys that are not text', () => {
    expect(refusals('a: !!binary aGk=\n')).to.deep.equal(['f:1: tags are not allowed']);
    expect(refusals('a: !custom x\n')).to.deep.equal(['f:1: tags are not allowed']);
    expect(refusals('? [a]\n: 1\n')).to.deep.equal(['f:1: expected text as a key']);
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

  it('says where a syntax mistake is', () => {
    expect(refusals('a: 1\nb: [1, 2\nc: 3\n')[0]).to.match(/^f:[234]: /);
    expect(refusals('{"a": 1,\n "b": }', true)).to.deep.equal([
      'f:2: expected JSON, got something else here',
    ]);
    expect(refusals('a: 1', true)).to.deep.equal(['f:1: expected JSON, got something else here']);
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
      expect(first).to.match(/^f:[0-9]+: nested too deeply$/);
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
        parseDocument(input, 'f', json);
      }),
      { numRuns: 1500 },
    );
  });
});
