import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { catalogue, type FailureEntry } from '../../sidecar/failure-catalogue.ts';

/** The catalogue itself, and files that name codes only to tell them apart. */
const readers = ['failure-catalogue.ts', 'retry/policy.ts', 'message/problem.ts', 'admin/views.ts'];
const folder = new URL('../../sidecar/', import.meta.url);
const producers = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !readers.includes(file))
  .map((file) => readFileSync(new URL(file, folder), 'utf8'))
  .join('')
  // A comparison produces nothing.
  .replace(/[!=]==\s*'[a-z_]+'/g, '');

describe('error catalogue', () => {
  for (const [code, entry] of Object.entries<FailureEntry>(catalogue)) {
    if (entry.reserved) {
      it(`marks ${code} as reserved only as long as nothing produces it`, () => {
        expect(producers).to.not.match(new RegExp(`new Failure\\(\\s*'${code}'`));
      });
    } else {
      it(`has a producer of ${code}`, () => {
        expect(producers).to.contain(`'${code}'`);
      });
    }
  }
});
