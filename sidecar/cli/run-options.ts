import type { WrappedCommand } from './wrapped-command.ts';

/** What `runSidecar` is told besides the configuration. */
export interface RunOptions {
  /** Read again at each reload. */
  readonly environment: NodeJS.ProcessEnv;
  /**
   * The command inside the sidecar, or null. The sidecar calls `start`, passes signals on when its
   * drain delay is over, stops when the command has `ended`, and resolves to its exit code.
   */
  readonly wrapped: WrappedCommand | null;
  /** Start the command when ready; else as soon as the listeners are open. */
  readonly waitReady: boolean;
}
