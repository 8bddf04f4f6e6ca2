import { systemClock } from '../telemetry/system-clock.ts';
import { Telemetry } from '../telemetry/telemetry.ts';
import { AdminServer } from './admin/server.ts';
import { adminSource } from './admin-source.ts';
import type { RunOptions } from './cli/run-options.ts';
import type { Loaded } from './config/load.ts';
import { Reloader } from './config/reload.ts';
import { Ending } from './ending.ts';
import { Sidecar } from './sidecar.ts';
import { telemetryOptions } from './telemetry-options.ts';

/** Time for the last spans and log lines, milliseconds. */
const FLUSH_MS = 2000;
/** How often the state is looked at until it is ready, milliseconds. */
const READY_LOOK_MS = 20;
const FAILED = 1;

/**
 * Runs the sidecar of this process until a signal, the admin API, its command or a bug ends it; resolves
 * to the exit code. SIGTERM and SIGINT leave in order, a second one faster; SIGHUP reads the
 * configuration again.
 */
export async function runSidecar(loaded: Loaded, options: RunOptions): Promise<number> {
  const { environment, wrapped, waitReady } = options;
  const { config } = loaded;
  const telemetry = new Telemetry(telemetryOptions(config), environment, systemClock, null);
  const { log } = telemetry;
  const bugs = telemetry.metrics.counter('outrigger_bugs_total');
  const onBug = (error: unknown): void => {
    bugs.add();
    log.error({ err: error }, 'a bug in outrigger; please report it');
  };
  for (const warning of loaded.warnings) log.warn({}, warning);
  const ending = new Ending();
  let reload = (): void => undefined;
  const release = ending.listen(() => reload(), onBug);

  // Before the first port: a request that comes at once is traced like any other.
  await telemetry.start();
  const sidecar = await Sidecar.start(loaded, telemetry, systemClock, onBug);
  if (!(sidecar instanceof Sidecar)) {
    for (const problem of sidecar) log.error({}, problem);
    release();
    await telemetry.shutdown(FLUSH_MS);
    return FAILED;
  }
  const reloader = new Reloader({
    loaded,
    environment,
    clock: systemClock,
    log,
    apply: (next) => sidecar.apply(next.loaded),
    onRejected: () => telemetry.metrics.counter('outrigger_config_rejected_total').add(),
  });
  reload = () => void reloader.reload();
  const source = adminSource(sidecar, reloader, telemetry, ending);
  const admin = new AdminServer(source, config.admin, log);
  try {
    await admin.start();
    await reloader.start();
    // Last: a sidecar that cannot start is nobody's choice.
    sidecar.register();
    if (wrapped !== null && !waitReady) wrapped.start();
    announce(sidecar, telemetry, ending.begun, () => wrapped?.start());
    void wrapped?.ended.then((code) => ending.begin(code));
    const code = await ending.begun;
    await sidecar.stop(ending.hurry, wrapped);
    if (wrapped === null) return code;
    // Its time is over too: nobody waits for a command that ignores SIGTERM twice.
    if (ending.hurry.aborted) wrapped.signal('SIGKILL');
    return await wrapped.ended;
  } catch (error) {
    if (!isListenError(error)) throw error;
    log.error(
      {},
      `admin: cannot listen on ${config.admin.host}:${config.admin.port}: ${error.code}`,
    );
    await sidecar.stop(AbortSignal.abort(), null);
    return FAILED;
  } finally {
    reloader.close();
    await admin.close();
    await telemetry.shutdown(ending.hurry.aborted ? 0 : FLUSH_MS);
    release();
  }
}

/** Says once when the sidecar is ready, and what it waits for when that takes longer than it should. */
function announce(
  sidecar: Sidecar,
  { log }: Telemetry,
  ended: Promise<number>,
  onReady: () => void,
): void {
  const { startDeadlineMs } = sidecar.config.consul;
  const start = systemClock.now();
  let over = false;
  let late = false;
  void ended.then(() => {
    over = true;
  });
  const look = (): void => {
    if (over) return;
    const { ready, waitingFor } = sidecar.ready();
    const tookMs = Math.round(systemClock.now() - start);
    if (ready) {
      log.info({ tookMs }, 'ready');
      onReady();
      return;
    }
    if (!late && tookMs > startDeadlineMs) {
      late = true;
      log.warn({ waitingFor }, 'not ready; calls to what is missing fail with discovery_pending');
    }
    systemClock.schedule(READY_LOOK_MS, look);
  };
  look();
}

function isListenError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && (error as NodeJS.ErrnoException).syscall === 'listen';
}
