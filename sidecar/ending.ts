/** When the process is to end, with which code, and how much time is left for it. */
export class Ending {
  /** Resolves to the exit code as soon as somebody wants the end. */
  readonly begun: Promise<number>;
  readonly #hurry = new AbortController();
  #begin: (code: number) => void = () => undefined;
  #ending = false;

  constructor() {
    this.begun = new Promise((resolve) => {
      this.#begin = resolve;
    });
  }

  /** Aborted when the end was asked for twice: every wait is cut short. */
  get hurry(): AbortSignal {
    return this.#hurry.signal;
  }

  /** Asks for the end; the first code counts, a second call hurries. */
  begin(code: number): void {
    if (this.#ending) this.#hurry.abort();
    this.#ending = true;
    this.#begin(code);
  }

  /** Hurries when the end takes longer than this, milliseconds. */
  limit(ms: number): void {
    setTimeout(() => this.#hurry.abort(), ms).unref();
  }

  /**
   * Lets signals ask for the end, SIGHUP for a reload, and a bug outside any connection for a bounded end
   * with code 1. Returns the way back.
   */
  listen(onReload: () => void, onBug: (error: unknown) => void): () => void {
    const end = (): void => this.begin(0);
    const crash = (error: unknown): void => {
      onBug(error);
      this.limit(BUG_DRAIN_MS);
      this.begin(1);
    };
    process.on('SIGTERM', end);
    process.on('SIGINT', end);
    process.on('SIGHUP', onReload);
    process.on('uncaughtException', crash);
    process.on('unhandledRejection', crash);
    return () => {
      process.off('SIGTERM', end);
      process.off('SIGINT', end);
      process.off('SIGHUP', onReload);
      process.off('uncaughtException', crash);
      process.off('unhandledRejection', crash);
    };
  }
}

/** After a bug: time to drain before the process ends. */
const BUG_DRAIN_MS = 5000;
