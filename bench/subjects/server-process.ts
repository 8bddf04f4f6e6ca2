import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { onSubjectCpu } from '../layout.ts';
import { noteChild } from '../leave-nothing.ts';

const startTimeoutMs = 15_000;
const stopTimeoutMs = 5_000;
const pollMs = 5;

/** A started server. `readyAfterMs`: from the spawn to the first 200 of its ready address, within some milliseconds. */
export interface ServerProcess {
  readonly pid: number;
  readonly readyAfterMs: number;
  /** Ends it and waits until it is gone; harder when it does not go by itself. */
  stop(): Promise<void>;
}

/**
 * Starts a server in the foreground with its output in the folder and waits until `readyUrl` answers 200. Throws with the
 * end of the output when it ends or does not get there.
 */
export async function startServer(
  command: string,
  args: readonly string[],
  folder: string,
  readyUrl: string,
): Promise<ServerProcess> {
  const log = join(folder, 'output.log');
  const file = openSync(log, 'w');
  const startedAt = performance.now();
  const [program, programArgs] = onSubjectCpu(command, args);
  const child = spawn(program, programArgs, { cwd: folder, stdio: ['ignore', file, file] });
  closeSync(file);
  noteChild(child);
  const failure = once(child, 'error').then(([error]) => error as Error);
  const pid = child.pid;
  if (pid === undefined) throw new Error(`cannot start ${command}`, { cause: await failure });
  while (!(await answers(readyUrl))) {
    const late = performance.now() - startedAt > startTimeoutMs;
    if (!late && running(child)) {
      await pause(pollMs);
      continue;
    }
    await stop(child);
    const printed = readFileSync(log, 'utf8').slice(-2000);
    throw new Error(`${command} ${late ? 'is not ready' : 'ended'}; it printed:\n${printed}`);
  }
  return { pid, readyAfterMs: performance.now() - startedAt, stop: () => stop(child) };
}

function answers(url: string): Promise<boolean> {
  return new Promise((done) => {
    const request = get(url, { agent: false, timeout: 1000 }, (response) => {
      response.resume();
      done(response.statusCode === 200);
    });
    request.on('error', () => done(false));
    request.on('timeout', () => request.destroy());
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (!running(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const harder = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
  await exited;
  clearTimeout(harder);
}

function running(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
