import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SpanView } from '../../telemetry/span-view.ts';
import type { ClustersView } from '../admin/views.ts';
import { AdminClient } from './admin-client.ts';
import { SLOW_MS } from './faults.ts';
import { Guardian } from './guardian.ts';
import { type Condition, MeshMember } from './mesh-member.ts';
import { MeshProcess } from './mesh-process.ts';
import type { Sample } from './observe.ts';
import { type MeshPlan, planMesh, portsNeeded } from './plan.ts';
import { freePorts } from './ports.ts';
import {
  findConsul,
  type RegistryChoice,
  type RegistryKind,
  registryCommand,
  registryReady,
} from './registry-process.ts';
import { sidecarConfig } from './sidecar-config.ts';
import { edge, topology } from './topology.ts';
import { MeshStartError, waitReady, waitUntil } from './wait-until.ts';

export interface MeshOptions {
  readonly registry: RegistryChoice;
  /** Time after which a killed instance is started again, milliseconds. */
  readonly restartAfterMs: number;
  /** OTLP/HTTP endpoint for the sidecars' spans; null keeps them in memory alone. */
  readonly otlpEndpoint: string | null;
  /** Told of what happens in the mesh, one sentence each. */
  readonly report: (event: string) => void;
  /** Told how the start goes on. */
  readonly progress: (done: number, of: number, what: string) => void;
  /** Ends the start early, as a `MeshStartError`. */
  readonly signal: AbortSignal;
}

/** The local mesh as running processes. Only `stop` ends it, and after that nothing of it is left. */
export class Mesh {
  readonly plan: MeshPlan;
  readonly registryKind: RegistryKind;
  readonly #options: MeshOptions;
  readonly #consul: string | null;
  readonly #guardian: Guardian;
  readonly #admin = new AdminClient();
  readonly #members: readonly MeshMember[];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #ended = new AbortController();
  #registry: MeshProcess | null = null;
  #stopping = false;

  private constructor(plan: MeshPlan, consul: string | null, options: MeshOptions) {
    this.plan = plan;
    this.#consul = consul;
    this.registryKind = consul === null ? 'embedded' : 'consul';
    this.#options = options;
    this.#guardian = new Guardian(plan.directory);
    const context = {
      ledger: this.#guardian,
      admin: this.#admin,
      controlToken: randomUUID(),
      signal: AbortSignal.any([options.signal, this.#ended.signal]),
      crashed: (member: MeshMember, part: MeshProcess) => this.#crashed(member, part),
    };
    this.#members = [plan.edge, ...plan.instances].map((it) => new MeshMember(it, context));
  }

  /** Brings everything up and waits until every sidecar knows every endpoint it may call. */
  static async start(options: MeshOptions): Promise<Mesh> {
    const consul = options.registry === 'embedded' ? null : findConsul(process.env['PATH'] ?? '');
    if (consul === null && options.registry === 'consul') {
      throw new MeshStartError('--registry consul: there is no consul on the search path');
    }
    const ports = await freePorts(portsNeeded(topology, edge));
    const directory = await mkdtemp(join(tmpdir(), 'outrigger-up-'));
    const mesh = new Mesh(planMesh(topology, edge, ports, directory), consul, options);
    try {
      await mesh.#bringUp();
      return mesh;
    } catch (error) {
      await mesh.stop();
      throw error;
    }
  }

  get registryRunning(): boolean {
    return this.#registry?.running === true;
  }

  condition(id: string): Condition {
    return this.#member(id).condition;
  }

  /** Asks every sidecar what it counts. */
  async sample(): Promise<Sample> {
    const atMs = performance.now();
    const sidecars = new Map<string, ClustersView>();
    const ask = async ({ planned }: MeshMember) => {
      const view = await this.#admin.clusters(planned.adminPort);
      if (view !== null) sidecars.set(planned.id, view);
    };
    await Promise.all(this.#members.map(ask));
    return { atMs, sidecars };
  }

  /** The newest spans of every sidecar, at most so many of each. */
  async spans(limit: number): Promise<SpanView[]> {
    const views = await Promise.all(
      this.#members.map(({ planned }) => this.#admin.traces(planned.adminPort, limit)),
    );
    return views.flatMap((view) => view?.spans ?? []);
  }

  /** SIGKILL for sidecar and application at once; both come back after `restartAfterMs`. */
  kill(id: string): void {
    const member = this.#member(id);
    if (member.condition.kind === 'down') return;
    this.#options.report(`${id} killed, application and sidecar`);
    this.#takeDown(member);
  }

  async slow(id: string): Promise<void> {
    const taken = await this.#member(id).disturb('slow', { latencyMs: SLOW_MS, errorRate: 0 });
    if (taken) this.#options.report(`${id} answers ${SLOW_MS} ms late`);
  }

  async fail(id: string): Promise<void> {
    const taken = await this.#member(id).disturb('failing', { latencyMs: 0, errorRate: 1 });
    if (taken) this.#options.report(`${id} answers every request with 503`);
  }

  async stopRegistry(): Promise<void> {
    if (!this.registryRunning) return;
    this.#registry?.kill();
    await this.#registry?.exited;
    this.#options.report(`registry stopped (${this.registryKind})`);
  }

  async startRegistry(): Promise<void> {
    if (this.registryRunning || this.#stopping) return;
    await this.#launchRegistry();
    this.#options.report(`registry started again, empty (${this.registryKind})`);
  }

  /** Takes back every disturbance: registry up, killed instances started, nobody slow or failing. */
  async heal(): Promise<void> {
    await this.startRegistry();
    const down = this.#members.filter((it) => it.condition.kind === 'down');
    await Promise.all(down.map((it) => this.#revive(it)));
    for (const member of this.#members) {
      const { kind } = member.condition;
      if (kind !== 'slow' && kind !== 'failing') continue;
      await member.disturb('running', { latencyMs: 0, errorRate: 0 });
    }
    this.#options.report('healed: every disturbance taken back');
  }

  /** Ends sidecars, applications and registry in this order, and removes every file. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#ended.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(this.#members.map((it) => it.stopSidecar()));
    await Promise.all(this.#members.map((it) => it.stopApp()));
    await this.#registry?.stop(REGISTRY_GRACE_MS);
    this.#admin.close();
    await rm(this.plan.directory, { recursive: true, force: true, maxRetries: 5 });
    await this.#guardian.dismiss();
  }

  async #bringUp(): Promise<void> {
    const { otlpEndpoint, progress, signal } = this.#options;
    const steps = this.#members.length + 2;
    let done = 0;
    await Promise.all(
      this.#members.map(({ planned }) => {
        const config = sidecarConfig(this.plan, planned, otlpEndpoint);
        return writeFile(planned.configFile, `${JSON.stringify(config, null, 2)}\n`);
      }),
    );
    await this.#launchRegistry();
    progress(++done, steps, `registry (${this.registryKind})`);
    // Callees first, so that callers find them when they come up.
    const waiting = [...this.#members].reverse();
    const worker = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        await next.launch();
        progress(++done, steps, next.planned.id);
      }
    };
    await Promise.all(Array.from({ length: PARALLEL_STARTS }, worker)).finally(() => {
      waiting.length = 0; // after a failure nothing more is started
    });
    const acquainted = async () => (await this.#strangers()) === '';
    await waitUntil(acquainted, () => this.#strangers(), signal);
    progress(++done, steps, 'every sidecar knows its endpoints');
  }

  async #launchRegistry(): Promise<void> {
    const { registryPorts } = this.plan;
    const command = registryCommand(this.#consul, registryPorts);
    this.#registry = new MeshProcess('registry', command, this.#guardian);
    await waitReady(this.#registry, () => registryReady(registryPorts[0]), this.#options.signal);
  }

  #crashed(member: MeshMember, part: MeshProcess): void {
    if (this.#stopping || member.condition.kind === 'down') return;
    this.#options.report(`${part.name} ended by itself (${part.outcome})`);
    this.#takeDown(member);
  }

  #takeDown(member: MeshMember): void {
    const { restartAfterMs } = this.#options;
    member.kill(restartAfterMs);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void this.#revive(member);
    }, restartAfterMs);
    this.#timers.add(timer);
  }

  async #revive(member: MeshMember): Promise<void> {
    if (this.#stopping || member.condition.kind !== 'down') return;
    const { id } = member.planned;
    try {
      await member.launch();
      this.#options.report(`${id} started again`);
    } catch (error) {
      if (this.#stopping) return;
      this.#options.report(`${id}: ${error instanceof Error ? error.message : String(error)}`);
      this.#takeDown(member);
    }
  }

  /** Callers that do not know all endpoints they may call yet, in words; empty when there are none. */
  async #strangers(): Promise<string> {
    const { sidecars } = await this.sample();
    const missing = this.#members.flatMap(({ planned }) =>
      planned.upstreams.flatMap(({ service }) => {
        const expected = this.plan.instances.filter((it) => it.service === service).length;
        const clusters = sidecars.get(planned.id)?.clusters ?? [];
        const known = clusters.find((it) => it.direction === 'outbound' && it.name === service);
        const usable = known?.usable ?? 0;
        return usable >= expected
          ? []
          : [`${planned.id} knows ${usable} of ${expected} of ${service}`];
      }),
    );
    return missing.join('; ');
  }

  #member(id: string): MeshMember {
    const member = this.#members.find((it) => it.planned.id === id);
    if (member === undefined) throw new RangeError(`no instance ${id}`);
    return member;
  }
}

/** What is started at the same time while the mesh comes up; more only makes all of them slower. */
const PARALLEL_STARTS = 6;
const REGISTRY_GRACE_MS = 2000;
