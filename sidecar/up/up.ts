import { findCollector } from './collector.ts';
import { type Fault, parseFault } from './faults.ts';
import { LiveView, type MeshEvent } from './live.ts';
import { Mesh, type MeshOptions } from './mesh.ts';
import { applyFault, entryPort, renderReport, runOnce } from './once.ts';
import type { RegistryChoice } from './registry-process.ts';
import { terminalScreen } from './terminal.ts';
import { instanceIds, topology } from './topology.ts';
import { Traffic } from './traffic.ts';
import { MeshStartError } from './wait-until.ts';

/** What `outrigger up` takes from its command line. */
export interface UpOptions {
  /** Run for about `durationMs` without a terminal, judge, and end. */
  readonly once: boolean;
  /** With `once`: the report as JSON on standard output. */
  readonly json: boolean;
  /** `auto`: a `consul` on the search path, else the embedded development registry. */
  readonly registry: RegistryChoice;
  /** `kill:cart`, `slow:stock-2`, `fail:catalog`, `registry`; applied a few seconds after the start. */
  readonly faults: readonly string[];
  /** Calls per second that enter the mesh. */
  readonly ratePerSecond: number;
  /** With `once`: how long traffic is sent, milliseconds. */
  readonly durationMs: number;
  /** At false no colours, whatever the terminal can do. */
  readonly color: boolean;
}

/** What `up` does unless told otherwise. */
export const upDefaults: UpOptions = {
  once: false,
  json: false,
  registry: 'auto',
  faults: [],
  ratePerSecond: 40,
  durationMs: 10_000,
  color: true,
};

/**
 * Runs the local mesh until it is ended by key, signal or time; resolves to the exit code when no
 * process and no file of it is left. 0: ended as wished, or the checks of `once` held. 1: they did not,
 * or the mesh did not come up. 2: a mistake in the options.
 */
export async function runUp(options: UpOptions): Promise<number> {
  const faults: Fault[] = [];
  for (const spec of options.faults) {
    const fault = parseFault(spec, instanceIds(topology));
    if (typeof fault === 'string') return complain(fault, 2);
    faults.push(fault);
  }
  const ending = new AbortController();
  const release = endOnSignals(ending);
  try {
    return await runMesh(options, faults, ending.signal);
  } catch (error) {
    if (!(error instanceof MeshStartError)) throw error;
    if (ending.signal.aborted && !options.once) return 0;
    return complain(error.message, 1);
  } finally {
    release();
  }
}

const LIVE_RESTART_MS = 10_000;
const ONCE_RESTART_MS = 3000;
const FAULT_AFTER_MS = 5000;
/** Somebody may take a port between our looking and the process that binds it. */
const START_ATTEMPTS = 3;

async function runMesh(options: UpOptions, faults: Fault[], signal: AbortSignal): Promise<number> {
  const startedAt = performance.now();
  const events: MeshEvent[] = [];
  const otlpEndpoint = await findCollector();
  const progress = new Progress();
  const mesh = await startMesh({
    registry: options.registry,
    restartAfterMs: options.once ? ONCE_RESTART_MS : LIVE_RESTART_MS,
    otlpEndpoint,
    report: (text) => {
      events.push({ atMs: performance.now(), text });
      if (events.length > MAX_EVENTS) events.shift();
    },
    progress: (done, of, what) => progress.show(done, of, what),
    signal,
  }).finally(() => progress.end());
  const startMs = performance.now() - startedAt;
  try {
    if (options.once) {
      const { ratePerSecond, durationMs, json } = options;
      const report = await runOnce(mesh, {
        ratePerSecond,
        durationMs,
        faults,
        startMs,
        signal,
        events: () => events.map((it) => it.text),
      });
      process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : renderReport(report));
      return report.ok ? 0 : 1;
    }
    await runLive(mesh, options, faults, events, otlpEndpoint, signal);
    return 0;
  } finally {
    await mesh.stop();
  }
}

async function startMesh(options: MeshOptions): Promise<Mesh> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await Mesh.start(options);
    } catch (error) {
      const portTaken = error instanceof MeshStartError && error.message.includes('EADDRINUSE');
      if (!portTaken || attempt === START_ATTEMPTS || options.signal.aborted) throw error;
    }
  }
}

async function runLive(
  mesh: Mesh,
  options: UpOptions,
  faults: Fault[],
  events: readonly MeshEvent[],
  otlpEndpoint: string | null,
  signal: AbortSignal,
): Promise<void> {
  const traffic = new Traffic(entryPort(mesh), options.ratePerSecond);
  const traces = otlpEndpoint === null ? 'in memory' : `to ${otlpEndpoint}`;
  const disturb = async () => {
    for (const fault of faults) await applyFault(mesh, fault);
  };
  const timer = setTimeout(() => void disturb(), FAULT_AFTER_MS);
  traffic.start();
  try {
    await new LiveView(mesh, terminalScreen(options.color), events, traces).run(signal);
  } finally {
    clearTimeout(timer);
    await traffic.stop();
  }
  const { sent, succeeded } = traffic.totals();
  process.stdout.write(`${sent} calls, ${sent - succeeded} failed; the mesh is being taken down\n`);
}

const MAX_EVENTS = 200;

/** The first signal, or a reader that has gone, ends the run in order; the next one at once. */
function endOnSignals(ending: AbortController): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const end = () => {
    // The guard process takes down what is left when we leave like this.
    if (ending.signal.aborted) process.exit(1);
    ending.abort();
  };
  const readerGone = () => ending.abort();
  for (const name of signals) process.on(name, end);
  process.stdout.on('error', readerGone);
  process.stderr.on('error', readerGone);
  return () => {
    for (const name of signals) process.off(name, end);
    process.stdout.off('error', readerGone);
    process.stderr.off('error', readerGone);
  };
}

/** One line that is rewritten on a terminal; elsewhere only its beginning and end. */
class Progress {
  readonly #rewrites = process.stderr.isTTY === true;
  #shown = false;

  show(done: number, of: number, what: string): void {
    if (this.#rewrites)
      process.stderr.write(`\r\u001b[Kstarting the local mesh: ${done} of ${of}, ${what}`);
    else if (!this.#shown) process.stderr.write('starting the local mesh\n');
    else if (done === of) process.stderr.write('the local mesh is up\n');
    this.#shown = true;
  }

  end(): void {
    if (this.#rewrites && this.#shown) process.stderr.write('\r\u001b[K');
  }
}

function complain(message: string, exitCode: number): number {
  process.stderr.write(`${message}\n`);
  return exitCode;
}
