// Compiles to dist/: one file for each entry and one for each part that is loaded on demand, libraries
// included. A sidecar that opens 40 files starts in half the time of one that opens 400, and parses only what
// it uses (docs/decisions/0004). Types are not checked here; `npm run typecheck` does that.
import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { root } from './command.mjs';

/** What is started as a program of its own. */
const entries = ['sidecar/main.ts'];

/** Libraries in CommonJS ask for Node's modules by `require`, which a module does not have. */
const requireBanner =
  "import { createRequire as outriggerRequire } from 'node:module'; const require = outriggerRequire(import.meta.url);";

/** Writes dist/ anew. Rejects, with the messages on standard error, when the sources do not compile. */
export async function compile() {
  const dist = join(root, 'dist');
  rmSync(dist, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir: dist,
    outbase: root,
    chunkNames: 'sidecar/parts/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'linked',
    legalComments: 'linked',
    banner: { js: requireBanner },
    logLevel: 'warning',
  });
  chmodSync(join(dist, 'sidecar', 'main.js'), 0o755);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await compile();
