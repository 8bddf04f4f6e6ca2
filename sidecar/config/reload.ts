import type { Clock } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { formatConfigError } from './config-error.ts';
import { planReload, type ReloadPlan } from './diff.ts';
import { contradictions, type Loaded, loadConfig } from './load.ts';
import { FileWatch } from './watch-file.ts';

/** A configuration that was taken over at run time. */
export interface Reloaded {
  /** With `config` as planned: the running values where a restart is needed. */
  readonly loaded: Loaded;
  readonly plan: ReloadPlan;
}

export interface ReloaderOptions {
  readonly loaded: Loaded;
  readonly environment: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * Puts a valid configuration in force, whole, or resolves to why it cannot be (a port is taken), one
   * sentence each, and changes nothing. Not called when nothing changed.
   */
  readonly apply: (reloaded: Reloaded) => Promise<readonly string[]>;
  /** Counts a rejected file. */
  readonly onRejected: () => void;
}

/**
 * Follows the configuration file of a running sidecar. A file with a mistake changes nothing, is
 * logged in one line and kept for the admin API; the next good one is taken over as a whole.
 */
export class Reloader {
  readonly #options: ReloaderOptions;
  readonly #watch: FileWatch | null;
  #current: Loaded;
  #rejected: readonly string[] = [];
  #running: Promise<boolean> | null = null;
  #again = false;

  constructor(options: ReloaderOptions) {
    const { loaded, clock } = options;
    this.#options = options;
    this.#current = loaded;
    this.#watch =
      loaded.file === null ? null : new FileWatch(loaded.file, clock, () => void this.reload());
  }

  /** The configuration in force. */
  get current(): Loaded {
    return this.#current;
  }

  /** Mistakes of the last file that was rejected; empty after a good one. */
  get rejected(): readonly string[] {
    return this.#rejected;
  }

  async start(): Promise<void> {
    await this.#watch?.start();
  }

  close(): void {
    this.#watch?.close();
  }

  /**
   * Reads the file again, as SIGHUP asks for. True when it is in force afterwards, changed or not.
   * A call while another one reads makes that one read once more.
   */
  reload(): Promise<boolean> {
    if (this.#running !== null) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#readUntilQuiet().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #readUntilQuiet(): Promise<boolean> {
    let good: boolean;
    do {
      this.#again = false;
      good = await this.#readOnce();
    } while (this.#again);
    return good;
  }

  async #readOnce(): Promise<boolean> {
    const { environment, log, apply } = this.#options;
    const result = await loadConfig(this.#current.file, environment);
    if (!result.ok) return this.#reject(result.errors.map(formatConfigError));
    const plan = planReload(this.#current.config, result.loaded.config);
    const loaded = { ...result.loaded, config: plan.config };
    // The file is good by itself; with the running values of the keys that need a restart it may not be.
    const contradicting = contradictions(plan.config, loaded.sources);
    if (contradicting.length > 0) {
      const restart = `these keys need a restart: ${plan.restart.join(', ')}`;
      return this.#reject([...contradicting.map(formatConfigError), restart]);
    }
    if (plan.changed.length > 0) {
      const problems = await apply({ loaded, plan });
      if (problems.length > 0) return this.#reject(problems);
      const fields = { changed: plan.changed.slice(0, MAX_LOGGED), needsRestart: plan.restart };
      if (plan.restart.length === 0) log.info(fields, 'configuration reloaded');
      else log.warn(fields, 'configuration reloaded; some keys need a restart');
    }
    this.#rejected = [];
    this.#current = loaded;
    return true;
  }

  #reject(mistakes: readonly string[]): false {
    this.#rejected = mistakes;
    this.#options.onRejected();
    this.#options.log.error(
      { code: 'config_rejected', mistakes: mistakes.slice(0, MAX_LOGGED) },
      'configuration rejected, the running one stays in force',
    );
    return false;
  }
}

/** One log line names so many keys or mistakes; the admin API has all mistakes. */
const MAX_LOGGED = 20;
