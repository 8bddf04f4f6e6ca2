import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { onPath } from '../test/tools/command.mjs';

/**
 * Which CPUs do what. `own-core`: the subject has the last CPU to itself, load and backend the others. `one-core`:
 * everything on the first CPU, so that no wake-up crosses cores; latencies then only show who waits. `free`: the kernel decides.
 */
export const layouts = ['own-core', 'one-core', 'free'] as const;
export type Layout = (typeof layouts)[number];

let subjectCpu: number | null = null;

/**
 * Arranges this process, and the children it starts from now on, by a layout. Answers the layout in force: `free` where
 * there is no `taskset`, or one CPU only.
 */
export function arrange(layout: Layout): Layout {
  const last = cpus().length - 1;
  if (layout === 'free' || last === 0 || onPath('taskset') === null) return 'free';
  const others = layout === 'one-core' || last === 1 ? '0' : `0-${last - 1}`;
  execFileSync('taskset', ['-acp', others, String(process.pid)], { stdio: 'ignore' });
  subjectCpu = layout === 'one-core' ? 0 : last;
  return layout;
}

/** The command that starts a subject where the layout wants it; `taskset` replaces itself, so the process id stays. */
export function onSubjectCpu(command: string, args: readonly string[]): [string, string[]] {
  if (subjectCpu === null) return [command, [...args]];
  return ['taskset', ['-c', String(subjectCpu), command, ...args]];
}
