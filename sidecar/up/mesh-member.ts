import type { AdminClient } from './admin-client.ts';
import { fetchText } from './admin-client.ts';
import { disturb } from './demo-control.ts';
import type { Disturbance } from './demo-service.ts';
import { type Command, childCommand, sidecarCommand } from './launch.ts';
import { MeshProcess, type ProcessLedger } from './mesh-process.ts';
import type { PlannedInstance } from './plan.ts';
import { MeshStartError, waitReady } from './wait-until.ts';

export type Condition =
  | { readonly kind: 'starting' | 'running' | 'slow' | 'failing' }
  | { readonly kind: 'down'; readonly backInMs: number };

/** What all members share. */
export interface MemberContext {
  readonly ledger: ProcessLedger;
  readonly admin: AdminClient;
  readonly controlToken: string;
  readonly signal: AbortSignal;
  /** Called when a part of a running member ended without being told to. */
  readonly crashed: (member: MeshMember, part: MeshProcess) => void;
}

/** One planned instance as processes: a sidecar, and the application beside it if it has one. */
export class MeshMember {
  readonly planned: PlannedInstance;
  readonly #context: MemberContext;
  #app: MeshProcess | null = null;
  #sidecar: MeshProcess | null = null;
  #condition: 'starting' | 'running' | 'slow' | 'failing' = 'starting';
  #backAt: number | null = null;

  constructor(planned: PlannedInstance, context: MemberContext) {
    this.planned = planned;
    this.#context = context;
  }

  get condition(): Condition {
    return this.#backAt === null
      ? { kind: this.#condition }
      : { kind: 'down', backInMs: Math.max(0, this.#backAt - Date.now()) };
  }

  /** Starts both parts and waits until they answer; what ran before has to be gone by then. */
  async launch(): Promise<void> {
    await Promise.all([this.#app?.exited, this.#sidecar?.exited]);
    if (this.#context.signal.aborted) throw new MeshStartError('interrupted');
    this.#condition = 'starting';
    this.#backAt = null;
    const { id, app, adminPort, configFile } = this.planned;
    const { admin, signal } = this.#context;
    const ready: Promise<void>[] = [];
    if (app !== null) {
      this.#app = this.#spawn(`${id} application`, this.#appCommand(app));
      const healthy = async () => (await fetchText(undefined, app.port, '/health'))?.status === 200;
      ready.push(waitReady(this.#app, healthy, signal));
    }
    this.#sidecar = this.#spawn(`${id} sidecar`, sidecarCommand(configFile));
    ready.push(waitReady(this.#sidecar, () => admin.ready(adminPort), signal));
    await Promise.all(ready);
    this.#condition = 'running';
  }

  /** SIGKILL for both parts at once; `backInMs` is only announced here, not arranged. */
  kill(backInMs: number): void {
    this.#sidecar?.kill();
    this.#app?.kill();
    this.#backAt = Date.now() + backInMs;
  }

  /** Tells the application to be slow, to fail, or neither. False when there is nobody to tell. */
  async disturb(kind: 'running' | 'slow' | 'failing', how: Disturbance): Promise<boolean> {
    const { app } = this.planned;
    if (app === null || this.#backAt !== null) return false;
    const taken = await disturb(app.port, this.#context.controlToken, how);
    if (taken) this.#condition = kind;
    return taken;
  }

  async stopSidecar(): Promise<void> {
    await this.#sidecar?.stop(SIDECAR_GRACE_MS);
  }

  async stopApp(): Promise<void> {
    await this.#app?.stop(APP_GRACE_MS);
  }

  #appCommand({ port, workMs }: NonNullable<PlannedInstance['app']>): Command {
    const { id, service, zone, upstreams } = this.planned;
    const { controlToken } = this.#context;
    const settings = { instance: id, service, zone, port, workMs, upstreams, controlToken };
    return childCommand({ role: 'service', settings });
  }

  #spawn(name: string, command: Command): MeshProcess {
    const part = new MeshProcess(name, command, this.#context.ledger);
    void part.exited.then(() => {
      // An end while starting is reported by whoever waits for the start.
      if (!part.ending && this.#condition !== 'starting') this.#context.crashed(this, part);
    });
    return part;
  }
}

/** Time to leave the registry, end running requests and flush spans. */
const SIDECAR_GRACE_MS = 5000;
const APP_GRACE_MS = 2000;
