import { type ChildProcess, spawn } from 'node:child_process';
import type { Command } from './launch.ts';
import { OutputTail } from './output-tail.ts';

/** Told of every process that starts and ends, so that none can be left behind. */
export interface ProcessLedger {
  started(pid: number): void;
  ended(pid: number): void;
}

/**
 * One child process in a session of its own: a Ctrl-C in the terminal reaches only us, and we stop
 * the mesh in order. Its output is kept in a bounded tail and never shown unless something fails.
 */
export class MeshProcess {
  readonly name: string;
  readonly output = new OutputTail();
  /** Resolves when the process has gone, however it went. */
  readonly exited: Promise<void>;
  readonly #process: ChildProcess;
  #ending = false;
  #outcome: string | null = null;

  constructor(name: string, command: Command, ledger: ProcessLedger) {
    this.name = name;
    this.#process = spawn(command.file, command.args, {
      env: command.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const { pid } = this.#process;
    if (pid !== undefined) ledger.started(pid);
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.output.append(text));
    }
    this.exited = new Promise((resolve) => {
      const end = (outcome: string) => {
        if (this.#outcome !== null) return;
        this.#outcome = outcome;
        if (pid !== undefined) ledger.ended(pid);
        resolve();
      };
      this.#process.once('error', (error) => end(error.message));
      this.#process.once('close', (code, signal) => end(signal ?? `exit code ${code}`));
    });
  }

  get running(): boolean {
    return this.#outcome === null;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** How it ended, or null while it runs. */
  get outcome(): string | null {
    return this.#outcome;
  }

  /** True once we have asked it to end: an exit after that is no crash. */
  get ending(): boolean {
    return this.#ending;
  }

  kill(): void {
    this.#ending = true;
    this.#process.kill('SIGKILL');
  }

  /** SIGTERM, and SIGKILL when it has not gone after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    if (!this.running) return;
    this.#ending = true;
    this.#process.kill('SIGTERM');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), graceMs);
    await this.exited;
    clearTimeout(timer);
  }
}
