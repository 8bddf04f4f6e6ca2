import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** What a process and its descendants have used: ticks of CPU since their start, and resident memory now. */
export interface ProcessUsage {
  readonly ticks: number;
  readonly rssMiB: number;
}

/** Microseconds of one tick of `/proc/<pid>/stat`, 10,000 on every common kernel. */
export const tickUs =
  1_000_000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/**
 * User and system time of all threads of a process and of its children, ended ones included (proc(5): utime, stime,
 * cutime, cstime). Throws when the process is gone: a benchmark whose subject died has no result.
 */
export function processUsage(pid: number): ProcessUsage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field is the command in parentheses and may itself hold any character; utime is the fourteenth.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  let ticks = 0;
  for (const field of fields.slice(11, 15)) ticks += Number(field);
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  let rssMiB = Number(resident?.[1] ?? 0) / 1024;
  for (const child of childrenOf(pid)) {
    const usage = processUsage(child);
    ticks += usage.ticks;
    rssMiB += usage.rssMiB;
  }
  return { ticks, rssMiB };
}

function childrenOf(pid: number): number[] {
  const children: number[] = [];
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const listed = readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1');
    for (const child of listed.split(' ')) if (child !== '') children.push(Number(child));
  }
  return children;
}
