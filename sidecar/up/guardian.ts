import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { childCommand } from './launch.ts';
import type { ProcessLedger } from './mesh-process.ts';

/** Our end of the guard process, which cleans up when we are gone without a word. */
export class Guardian implements ProcessLedger {
  readonly #process: ChildProcess;

  constructor(directory: string) {
    const { file, args, env } = childCommand({ role: 'guard', directory });
    this.#process = spawn(file, args, { env, stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    // A guard that is gone guards nothing; the mesh itself works without it.
    this.#process.on('error', () => {});
    this.#process.stdin?.on('error', () => {});
  }

  started(pid: number): void {
    this.#process.stdin?.write(`+${pid}\n`);
  }

  ended(pid: number): void {
    this.#process.stdin?.write(`-${pid}\n`);
  }

  /** Everything has been cleaned up: the guard ends. */
  async dismiss(): Promise<void> {
    if (this.#process.pid === undefined || this.#process.exitCode !== null) return;
    const exit = once(this.#process, 'exit');
    this.#process.stdin?.end('done\n');
    await exit;
  }
}
