import { readdirSync, readFileSync } from 'node:fs';

/** Facts about a running process are read from /proc, which is Linux; elsewhere a test says so and skips. */
export function skipWithoutProc(context: Mocha.Context): void {
  if (process.platform === 'linux') return;
  console.log('      skipped: facts about a process are read from /proc, which is Linux');
  context.skip();
}

/** Resident memory, bytes. */
export function residentBytes(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) * 1024;
}

/** Open descriptors. */
export function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
