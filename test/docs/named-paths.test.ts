import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = fileURLToPath(new URL('../..', import.meta.url));
const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

/** Files and folders of the repository that a page names: in code, or as the target of a link. */
function namedPaths(text: string): string[] {
  const inCode = [...text.matchAll(/`([^`\n]+)`/g)].flatMap(([, code = '']) =>
    [...code.matchAll(/(?<![\w./:-])(?:[\w.-]+\/)+(?:[\w.-]+\.(?:ts|mjs|cjs|sh|md|json|svg))?/g)]
      .map(([path]) => path)
      .filter(
        (path, _index, paths) => /\.\w+$/.test(path) || (paths.length === 1 && path === code),
      ),
  );
  const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target = '']) => target);
  return [...inCode, ...links].filter((path) => !/^[a-z]+:/.test(path) && !isMade(path));
}

/** Made by a build or by fetching programs, and the placeholder names of decision records. */
function isMade(path: string): boolean {
  return /^(dist|\.tools|coverage)\//.test(path) || path.includes('NNNN');
}

/** Pages name sources from the top, from beside themselves, or from inside a layer. */
function exists(path: string, page: string): boolean {
  const bases = ['.', dirname(page), 'sidecar', 'test'];
  return bases.some((base) => existsSync(join(root, base, path)));
}

describe('documents', () => {
  for (const page of pages) {
    it(`${page} names files that exist`, () => {
      const missing = namedPaths(readFileSync(join(root, page), 'utf8')).filter(
        (path) => !exists(path, page),
      );

      expect(missing).to.deep.equal([]);
    });
  }

  it('are looked through for files in code, in commands and in links', () => {
    const text =
      'See `http1/parse.ts`, `npx mocha test/a.test.ts`, `gone/`, [x](docs/y.md#z), `a/b`, `GET /x/`.';

    expect(namedPaths(text)).to.deep.equal([
      'http1/parse.ts',
      'test/a.test.ts',
      'gone/',
      'docs/y.md',
    ]);
  });
});
