import { fileURLToPath } from 'node:url';
import { type ChildTask, TASK_VARIABLE } from './child-task.ts';

/** A command line and the environment it runs in. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** Starts a sidecar the way this process was started: from the build, or from the sources through tsx. */
export function sidecarCommand(configFile: string): Command {
  return node(new URL('../main.ts', import.meta.url), ['run', '-c', configFile], {});
}

export function childCommand(task: ChildTask): Command {
  const env = { [TASK_VARIABLE]: JSON.stringify(task) };
  return node(new URL('./child.ts', import.meta.url), [], env);
}

/**
 * Our environment without what configures sidecars and collectors: environment variables win over
 * configuration files, and the mesh must be the one that was planned, whatever the shell exports.
 */
export function cleanEnvironment(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(own).filter(([name]) => !/^(OUTRIGGER|OTEL|CONSUL)_/.test(name));
  return Object.fromEntries(kept);
}

function node(source: URL, args: readonly string[], env: NodeJS.ProcessEnv): Command {
  const compiled = import.meta.url.endsWith('.js');
  const file = fileURLToPath(source);
  const loader = compiled ? [] : ['--import', import.meta.resolve('tsx')];
  return {
    file: process.execPath,
    args: [...loader, compiled ? file.replace(/\.ts$/, '.js') : file, ...args],
    env: { ...cleanEnvironment(process.env), ...env },
  };
}
