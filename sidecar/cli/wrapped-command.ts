import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';

/** A command that runs inside a sidecar: started when the sidecar is ready, ended before it. */
export class WrappedCommand {
  readonly #file: string;
  readonly #args: readonly string[];
  readonly #environment: NodeJS.ProcessEnv;
  #child: ChildProcess | null = null;
  #finish: (code: number) => void = () => undefined;

  /**
   * Exit code of the command: its own, 128 + n when signal n ended it, 126 or 127 when it could not be
   * started (as shells have it). Also resolves when `signal` comes before `start`.
   */
  readonly ended: Promise<number>;

  /** `variables` are added to the environment of this process. */
  constructor(
    command: readonly [string, ...string[]],
    variables: Readonly<Record<string, string>>,
  ) {
    const [file, ...args] = command;
    this.#file = file;
    this.#args = args;
    this.#environment = { ...process.env, ...variables };
    this.ended = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** Starts it with our standard streams. A second call does nothing. */
  start(): void {
    if (this.#child !== null) return;
    const child = spawn(this.#file, [...this.#args], { stdio: 'inherit', env: this.#environment });
    this.#child = child;
    child.once('error', (error: NodeJS.ErrnoException) => {
      // Also emitted when a signal could not be sent; then it still runs.
      if (child.pid !== undefined) return;
      process.stderr.write(`${this.#file}: ${error.code ?? error.message}\n`);
      this.#finish(error.code === 'EACCES' ? CANNOT_EXECUTE : NOT_FOUND);
    });
    child.once('exit', (code, signal) => {
      this.#finish(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  }

  /** Passes a signal on. A command that was never started counts as ended by it. */
  signal(signal: NodeJS.Signals): void {
    if (this.#child === null) this.#finish(128 + constants.signals[signal]);
    else this.#child.kill(signal);
  }
}

const CANNOT_EXECUTE = 126;
const NOT_FOUND = 127;
