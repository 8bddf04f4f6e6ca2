import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's top folder. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** What the project fetches for itself and nobody else; not under version control. */
export const toolsFolder = join(root, '.tools');

/**
 * Prints one line of progress, on stderr so that stdout stays free for results.
 * @param {string} line
 */
export function say(line) {
  process.stderr.write(`outrigger: ${line}\n`);
}

/**
 * The path itself when an executable file is there, null otherwise.
 * @param {string} path
 * @returns {string | null}
 */
export function executable(path) {
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    return null;
  }
}

/**
 * Where the shell would find a command, null when it is not installed.
 * @param {string} name
 * @returns {string | null}
 */
export function onPath(name) {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const found = folder === '' ? null : executable(join(folder, name));
    if (found !== null) return found;
  }
  return null;
}

/**
 * Runs a command to its end with its output on stderr. A line with the time so far appears every ten seconds, so that a
 * quiet step never looks stuck. Answers false when the command fails, cannot be started or outlives `timeoutMs`.
 * @param {string} label what the step does, in words
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number }} [options]
 * @returns {Promise<boolean>}
 */
export function run(label, command, args, options = {}) {
  const started = Date.now();
  const seconds = () => `${Math.round((Date.now() - started) / 1000)} s`;
  say(`${label} …`);
  return new Promise((done) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: options.env ?? process.env,
      stdio: ['ignore', 2, 2],
      timeout: options.timeoutMs,
    });
    const ticking = setInterval(() => say(`${label}: still at it after ${seconds()}`), 10_000);
    const finish = (/** @type {boolean} */ ok, /** @type {string} */ how) => {
      clearInterval(ticking);
      say(`${label}: ${how} after ${seconds()}`);
      done(ok);
    };
    child.once('error', (error) => finish(false, `cannot start (${error.message})`));
    child.once('exit', (code, signal) =>
      code === 0 ? finish(true, 'done') : finish(false, `failed (${signal ?? `exit ${code}`})`),
    );
  });
}
