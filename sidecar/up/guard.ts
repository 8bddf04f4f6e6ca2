import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';

/**
 * Cleans up after a local mesh whose own process can no longer do it (SIGKILL, a crash of the
 * terminal): runs in a session of its own and reads `+pid`, `-pid` and `done`, one per line. When the
 * input ends without `done`, every process still listed is killed and the directory removed.
 */
export async function guard(directory: string, input: Readable): Promise<void> {
  const pids = new Set<number>();
  let unread = '';
  for await (const piece of input) {
    const lines = (unread + String(piece)).split('\n');
    unread = lines.pop() ?? '';
    for (const line of lines) {
      if (line === 'done') return;
      const pid = Number(line.slice(1));
      if (line.startsWith('+')) pids.add(pid);
      else pids.delete(pid);
    }
  }
  for (const pid of pids) signal(pid, 'SIGKILL');
  const deadline = Date.now() + WAIT_MS;
  while (Date.now() < deadline && [...pids].some((pid) => signal(pid, 0))) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
}

const WAIT_MS = 5000;
const POLL_MS = 50;

/** True when the process was there to take it. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}
