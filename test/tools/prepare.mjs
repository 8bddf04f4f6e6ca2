// Makes a fresh clone ready: `start` for `npm start`, `test` for `npm test`. Plain Node without dependencies, because it
// runs before they are there. Says what it does, does only what is missing, and takes a fraction of a second when nothing is.
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, say } from './command.mjs';
import { ensureConsul } from './consul.mjs';
import { ensureJaeger } from './jaeger.mjs';

const sources = ['sidecar', 'discovery', 'telemetry'];
const command = join(root, 'dist', 'sidecar', 'main.js');

/** Written after a compilation without errors. */
const compiled = join(root, 'dist', '.compiled');

const mode = process.argv[2];
if (mode !== 'start' && mode !== 'test') {
  say('usage: node test/tools/prepare.mjs start|test');
  process.exit(2);
}
requireNode();
await installDependencies();
await compile();
if (mode === 'test') await installTestPrograms();

function requireNode() {
  const wanted =
    /\d+\.\d+\.\d+/.exec(
      JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node,
    )?.[0] ?? '';
  if (compareVersions(process.versions.node, wanted) >= 0) return;
  stop(
    `Node.js ${wanted} or newer is needed, and this is ${process.versions.node}. Install it from https://nodejs.org/ and try again.`,
  );
}

async function installDependencies() {
  const installed = modified(join(root, 'node_modules', '.package-lock.json'));
  if (installed >= modified(join(root, 'package-lock.json'))) return;
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  if (!(await run('installing the dependencies (npm ci)', 'npm', args))) {
    stop('the dependencies cannot be installed; see the messages of npm above.');
  }
}

async function compile() {
  const inputs = [join(root, 'test', 'tools', 'build.mjs'), join(root, 'package-lock.json')];
  const newest = Math.max(
    ...inputs.map(modified),
    ...sources.map((folder) => newestSource(join(root, folder))),
  );
  if (modified(compiled) >= newest && existsSync(command)) return;
  // A process of its own: esbuild is there only after the dependencies have been installed.
  const arguments_ = [join(root, 'test', 'tools', 'build.mjs')];
  if (!(await run('compiling to dist/', process.execPath, arguments_)) || !existsSync(command)) {
    stop('the sources do not compile; see the messages above.');
  }
  writeFileSync(compiled, '');
}

async function installTestPrograms() {
  if ((await ensureConsul()) === null) {
    if (process.env['CI'] === 'true')
      stop('CI=true and there is no Consul: its tests would prove nothing.');
    say('no Consul 1.8 or newer: the tests against a real Consul are skipped.');
  }
  if ((await ensureJaeger()) === null) say('no Jaeger: the test against its query API is skipped.');
}

/** Newest change among a folder's TypeScript files and the folders themselves (a deleted file counts), in milliseconds. */
function newestSource(/** @type {string} */ folder) {
  let newest = modified(folder);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) newest = Math.max(newest, newestSource(path));
    else if (entry.name.endsWith('.ts')) newest = Math.max(newest, modified(path));
  }
  return newest;
}

/** When a file was last written, milliseconds; never (-Infinity) when it is not there. */
function modified(/** @type {string} */ path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? -Infinity;
}

function compareVersions(/** @type {string} */ one, /** @type {string} */ other) {
  const [left, right] = [one, other].map((version) => version.split('.').map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** @returns {never} */
function stop(/** @type {string} */ why) {
  say(why);
  process.exit(1);
}
