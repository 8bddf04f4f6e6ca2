import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';

const sources = new URL('../../sidecar/', import.meta.url);

/** Keys of the object literals among the arguments of each `new Failure(…)`. */
function evidenceKeys(source: string): readonly string[] {
  const keys: string[] = [];
  for (const part of source
    .replace(/`[^`]*`|'[^']*'/g, "''")
    .split('new Failure(')
    .slice(1)) {
    let depth = 1;
    let end = 0;
    for (; end < part.length && depth > 0; end++) {
      if (part[end] === '(') depth++;
      if (part[end] === ')') depth--;
    }
    for (const [, object = ''] of part.slice(0, end).matchAll(/\{([^}]*)\}/g)) {
      for (const [, key = ''] of object.matchAll(/(?:^|,)\s*(\w+)\s*(?=[:,]|$)/g)) keys.push(key);
    }
  }
  return keys;
}

describe('failures', () => {
  it('name their evidence in snake case, as the other members of a problem body are named', () => {
    const keys = readdirSync(sources, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => evidenceKeys(readFileSync(new URL(file, sources), 'utf8')));

    expect(keys).to.include.members(['waited_ms', 'max_body_bytes', 'errno', 'head_timeout_ms']);
    expect(keys.filter((key) => !/^[a-z]+(?:_[a-z]+)*$/.test(key))).to.deep.equal([]);
  });
});
