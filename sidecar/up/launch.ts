import { fileURLToPath } from 'node:url';
import { type ChildTask, TASK_VARIABLE } from './child-task.ts';

/** A command line and the environment it runs in. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Starts a sidecar the way this process was started: from the build, or from the sources through tsx. None
 * of so many gets the one default port for metrics: each serves its own at its admin API.
 */
export function sidecarCommand(configFile: string): Command {
  return outrigger(['run', '-c', configFile], { OTEL_METRICS_EXPORTER: 'none' });
}

/** Starts a process of the mesh that is no sidecar. */
export function childCommand(task: ChildTask): Command {
  return outrigger(['up-task'], { [TASK_VARIABLE]: JSON.stringify(task) });
}

/**
 * Our environment without what configures sidecars and collectors: environment variables win over
 * configuration files, and the mesh must be the one that was planned, whatever the shell exports.
 */
export function cleanEnvironment(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(own).filter(([name]) => !/^(OUTRIGGER|OTEL|CONSUL)_/.test(name));
  return Object.fromEntries(kept);
}

/** Our own program again. From the sources (tests) it is not what this process was started with. */
function outrigger(args: readonly string[], env: NodeJS.ProcessEnv): Command {
  const compiled = import.meta.url.endsWith('.js');
  const main = compiled ? programFile() : fileURLToPath(new URL('../main.ts', import.meta.url));
  const loader = compiled ? [] : ['--import', import.meta.resolve('tsx')];
  return {
    file: process.execPath,
    args: [...loader, main, ...args],
    env: { ...cleanEnvironment(process.env), ...env },
  };
}

function programFile(): string {
  const [, file] = process.argv;
  if (file === undefined) throw new Error('this process was not started from a file');
  return file;
}
