import { copyFileSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { download, fetchText, sha256 } from './archive.mjs';
import { executable, onPath, root, run, say, toolsFolder } from './command.mjs';

const version = '1.76.0';
const module = 'github.com/jaegertracing/jaeger';
const folder = join(toolsFolder, 'jaeger');
const binary = join(folder, 'bin', 'jaeger-all-in-one');
/** Go's module and build caches while Jaeger is built; nothing is left in those of the user. */
const goFolder = join(folder, 'go');
const giveUpMark = join(folder, 'unavailable');

/** A build or download that failed is not tried again at every test run. */
const retryAfterMs = 24 * 60 * 60 * 1000;

/** A cold build takes minutes on two cores; a machine that needs longer than this does without. */
const buildTimeoutMs = 8 * 60 * 1000;

/** @returns {string | null} */
export function findJaeger() {
  return onPath('jaeger-all-in-one') ?? executable(binary);
}

/**
 * Finds Jaeger's all-in-one program or makes one in `.tools/`: with the Go toolchain where there is one, else from the
 * project's release archive. Null when neither can be had; the reason has been printed.
 * @returns {Promise<string | null>}
 */
export async function ensureJaeger() {
  const found = findJaeger();
  if (found !== null) return found;
  if (recentlyGivenUp()) {
    say('Jaeger could not be had within the last day (delete .tools/jaeger to try again)');
    return null;
  }
  mkdirSync(join(folder, 'bin'), { recursive: true });
  if (onPath('go') === null || !(await build())) {
    try {
      await unpackRelease();
    } catch (error) {
      say(
        `Jaeger ${version} cannot be fetched: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  const made = findJaeger();
  if (made === null) writeFileSync(giveUpMark, '');
  return made;
}

/**
 * `go install` refuses a module with replace directives, so `jaeger/` is a module that repeats Jaeger's only one; its
 * go.sum pins every module by its hash, so that nothing but the modules themselves is asked for. The web page is not
 * part of the Go module; the query API, which is what the tests ask, is.
 */
async function build() {
  const built = await run(
    `building Jaeger ${version} with Go (some minutes, once)`,
    'go',
    [
      'build',
      '-mod=readonly',
      '-trimpath',
      '-ldflags=-s -w',
      '-o',
      binary,
      `${module}/cmd/all-in-one`,
    ],
    {
      cwd: join(root, 'test', 'tools', 'jaeger'),
      env: { ...process.env, ...goEnvironment() },
      timeoutMs: buildTimeoutMs,
    },
  );
  // After a failure, most often of the network or of time, the next attempt goes on from here.
  if (built) rmSync(goFolder, { recursive: true, force: true });
  return built;
}

/**
 * Keeps all that Go writes below `.tools/`, writable, so that deleting the folder deletes it.
 * @returns {Record<string, string>}
 */
export function goEnvironment() {
  return {
    GOFLAGS: '-modcacherw',
    CGO_ENABLED: '0',
    GOPATH: goFolder,
    GOMODCACHE: join(goFolder, 'modules'),
    GOCACHE: join(goFolder, 'build'),
  };
}

/** The vendor publishes sums of the files inside the archive, next to it; they come over the same TLS connection. */
async function unpackRelease() {
  const platform = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
  const name = `jaeger-${version}-${platform}`;
  const base = `https://github.com/jaegertracing/jaeger/releases/download/v${version}`;
  const scratch = join(folder, 'release');
  mkdirSync(scratch, { recursive: true });
  try {
    const sums = await fetchText(`${base}/${name}.sha256sum.txt`);
    await download(`${base}/${name}.tar.gz`, join(scratch, 'jaeger.tar.gz'));
    await run('unpacking', 'tar', ['-xzf', 'jaeger.tar.gz'], { cwd: scratch });
    const unpacked = join(scratch, name, 'jaeger-all-in-one');
    const sum = sha256(unpacked);
    if (!sums.includes(sum)) throw new Error(`sha256 ${sum} is not among the published sums`);
    copyFileSync(unpacked, binary);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function recentlyGivenUp() {
  const mark = statSync(giveUpMark, { throwIfNoEntry: false });
  return mark !== undefined && Date.now() - mark.mtimeMs < retryAfterMs;
}
