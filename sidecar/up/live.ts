import type { Mesh } from './mesh.ts';
import { instanceAt, observe, type Sample } from './observe.ts';
import type { PlannedInstance } from './plan.ts';
import { buildTraceTrees, missingJoints, renderTrace } from './trace-tree.ts';
import { renderStatus, renderView, type ViewModel } from './view.ts';

/** Where the live view is drawn and where keys come from; a terminal, or anything that can be one. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly color: boolean;
  /** False for pipes and logs: status lines instead of frames, no keys. */
  readonly interactive: boolean;
  write(text: string): void;
  /** Calls back with every key until the returned function is called. */
  onKey(callback: (key: string) => void): () => void;
}

export interface MeshEvent {
  /** `performance.now()` when it happened. */
  readonly atMs: number;
  readonly text: string;
}

/** What the view needs of a mesh. */
export type WatchedMesh = Pick<
  Mesh,
  | 'plan'
  | 'registryKind'
  | 'registryRunning'
  | 'condition'
  | 'sample'
  | 'spans'
  | 'kill'
  | 'slow'
  | 'fail'
  | 'stopRegistry'
  | 'startRegistry'
  | 'heal'
>;

/** Shows a running mesh until a key, or the signal, ends it. */
export class LiveView {
  readonly #mesh: WatchedMesh;
  readonly #screen: Screen;
  readonly #events: readonly MeshEvent[];
  readonly #traces: string;
  readonly #startedAt = performance.now();
  readonly #history: Sample[] = [];
  /** The first instance of every service, then the second ones, and so on. */
  readonly #order: readonly PlannedInstance[];
  #trace: readonly string[] | null = null;
  #turn = 0;
  #lastStatusMs = -Infinity;

  /** `events` may grow while the view runs. */
  constructor(mesh: WatchedMesh, screen: Screen, events: readonly MeshEvent[], traces: string) {
    this.#mesh = mesh;
    const number = ({ id }: PlannedInstance) => Number(id.slice(id.lastIndexOf('-') + 1));
    this.#order = [...mesh.plan.instances].sort((a, b) => number(a) - number(b));
    this.#screen = screen;
    this.#events = events;
    this.#traces = traces;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { interactive } = this.#screen;
    let quit = () => {};
    const ended = new Promise<void>((resolve) => {
      quit = resolve;
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    if (signal.aborted) return;
    const stopKeys = interactive
      ? this.#screen.onKey((key) => {
          if (key === 'q' || key === CTRL_C) quit();
          else void this.#press(key);
        })
      : () => {};
    if (interactive) this.#screen.write(ENTER_SCREEN);
    const timer = setInterval(() => void this.#refresh(), REFRESH_MS);
    try {
      await this.#refresh();
      await ended;
    } finally {
      clearInterval(timer);
      stopKeys();
      if (interactive) this.#screen.write(LEAVE_SCREEN);
    }
  }

  async #refresh(): Promise<void> {
    this.#history.push(await this.#mesh.sample());
    if (this.#history.length > WINDOW_SAMPLES) this.#history.shift();
    this.#draw();
  }

  async #press(key: string): Promise<void> {
    const mesh = this.#mesh;
    const target = DISTURBING.includes(key) ? this.#nextTarget(key === 'f' ? 3 : 2) : null;
    if (key === 'k' && target !== null) mesh.kill(target);
    else if (key === 's' && target !== null) await mesh.slow(target);
    else if (key === 'f' && target !== null) await mesh.fail(target);
    else if (key === 'r') await (mesh.registryRunning ? mesh.stopRegistry() : mesh.startRegistry());
    else if (key === 'z') await mesh.heal();
    else if (key === 't') this.#trace = this.#trace === null ? await this.#newestTrace() : null;
    else return;
    this.#draw();
  }

  /**
   * The next instance in turn that is undisturbed and whose service keeps another such one: the mesh
   * can cope with losing an instance, not with losing a service. `smallest`: instances of the service;
   * one of two that answers with errors is not ejected.
   */
  #nextTarget(smallest: number): string | null {
    const instances = this.#order;
    const sound = (id: string) => this.#mesh.condition(id).kind === 'running';
    for (let step = 0; step < instances.length; step++) {
      const candidate = instances[(this.#turn + step) % instances.length];
      if (candidate === undefined || !sound(candidate.id)) continue;
      const others = instances.filter((it) => it.service === candidate.service && it !== candidate);
      if (others.length + 1 < smallest || !others.some((it) => sound(it.id))) continue;
      this.#turn = (this.#turn + step + 1) % instances.length;
      return candidate.id;
    }
    return null;
  }

  async #newestTrace(): Promise<string[]> {
    const { plan } = this.#mesh;
    const trees = buildTraceTrees(await this.#mesh.spans(TRACE_SPANS));
    const joined = trees.find((it) => missingJoints(it, plan.calls).length === 0);
    const tree = joined ?? trees[0];
    if (tree === undefined) return ['no sidecar has kept a span yet'];
    return renderTrace(tree, (port) => instanceAt(plan, port));
  }

  #draw(): void {
    const model = this.#model();
    if (this.#screen.interactive) {
      const lines = renderView(model, this.#screen);
      this.#screen.write(HOME + lines.map((it) => `${it}${CLEAR_LINE}`).join('\r\n') + CLEAR_BELOW);
      return;
    }
    const now = performance.now();
    if (model.state === null || now - this.#lastStatusMs < STATUS_MS) return;
    this.#lastStatusMs = now;
    const timeOfDay = new Date().toISOString().slice(11, 19);
    this.#screen.write(`${renderStatus(model.state, this.#mesh.registryRunning, timeOfDay)}\n`);
  }

  #model(): ViewModel {
    const mesh = this.#mesh;
    const [before, now] = [this.#history[0], this.#history.at(-1)];
    const ready = before !== undefined && now !== undefined && before !== now;
    const planned = [mesh.plan.edge, ...mesh.plan.instances];
    return {
      state: ready ? observe(mesh.plan, before, now) : null,
      conditions: new Map(planned.map(({ id }) => [id, mesh.condition(id)])),
      registry: {
        kind: mesh.registryKind,
        address: `127.0.0.1:${mesh.plan.registryPorts[0]}`,
        running: mesh.registryRunning,
      },
      traces: this.#traces,
      uptimeMs: performance.now() - this.#startedAt,
      events: this.#events.map(({ atMs, text }) => ({
        atMs: Math.max(0, atMs - this.#startedAt),
        text,
      })),
      trace: this.#trace,
    };
  }
}

const REFRESH_MS = 1000;
const STATUS_MS = 5000;
/** Rates are taken over this many readings minus one. */
const WINDOW_SAMPLES = 4;
/** Enough for the newest traces of a busy sidecar. */
const TRACE_SPANS = 100;
const DISTURBING = ['k', 's', 'f'];
const CTRL_C = '\u0003';
const ENTER_SCREEN = '\u001b[?1049h\u001b[?25l\u001b[2J';
const LEAVE_SCREEN = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
