import { describeFault, type Fault } from './faults.ts';
import type { Mesh } from './mesh.ts';
import { type MeshState, observe, type Sample } from './observe.ts';
import { buildTraceTrees } from './trace-tree.ts';
import { Traffic, type TrafficTotals } from './traffic.ts';
import {
  type Check,
  checkCalls,
  checkInstances,
  checkSidecars,
  checkTraces,
  RequestTally,
} from './verdict.ts';

/** What `up --once` found. `--json` prints exactly this. */
export interface OnceReport {
  readonly ok: boolean;
  readonly checks: readonly Check[];
  readonly measured: {
    readonly registry: string;
    readonly startMs: number;
    readonly trafficMs: number;
    readonly calls: number;
    readonly failed: number;
    readonly p50Ms: number | null;
    readonly p99Ms: number | null;
    readonly retries: number;
    readonly ejections: number;
    readonly zones: readonly { readonly call: string; readonly sameZone: number | null }[];
  };
  readonly faults: readonly string[];
  /** What happened in the mesh, in order. */
  readonly events: readonly string[];
}

export interface OnceOptions {
  readonly durationMs: number;
  readonly ratePerSecond: number;
  readonly faults: readonly Fault[];
  readonly startMs: number;
  /** What has happened in the mesh so far. */
  readonly events: () => readonly string[];
  /** Ends the run early. */
  readonly signal: AbortSignal;
}

/** Sends traffic through a running mesh for a while, disturbs it as told, and judges what came of it. */
export async function runOnce(mesh: Mesh, options: OnceOptions): Promise<OnceReport> {
  const { plan } = mesh;
  const traffic = new Traffic(entryPort(mesh), options.ratePerSecond);
  const tally = new RequestTally(plan.instances.map((it) => it.id));
  const first = await mesh.sample();
  const startedAt = performance.now();
  traffic.start();
  const watch = async (durationMs: number) => {
    const until = Math.min(performance.now() + durationMs, startedAt + options.durationMs);
    while (performance.now() < until && !options.signal.aborted) {
      await pause(Math.min(SAMPLE_MS, until - performance.now()), options.signal);
      tally.add((await mesh.sample()).sidecars);
    }
  };
  await watch(Math.min(FAULT_AFTER_MS, options.durationMs / 3));
  for (const fault of options.faults) await applyFault(mesh, fault);
  await watch(REGISTRY_AWAY_MS);
  await mesh.startRegistry();
  await watch(options.durationMs);
  const trafficMs = performance.now() - startedAt;
  await traffic.stop();
  const last = await readySample(mesh);
  tally.add(last.sidecars);
  const totals = traffic.totals();
  const trees = buildTraceTrees(await mesh.spans(KEPT_SPANS));
  const checks = [
    checkCalls(totals, Math.round((options.ratePerSecond * trafficMs) / 1000)),
    checkTraces(trees, plan.calls),
    checkInstances(tally.requests),
    checkSidecars([plan.edge, ...plan.instances], last.sidecars),
  ];
  return {
    ok: checks.every((it) => it.ok) && !options.signal.aborted,
    checks,
    measured: measure(mesh, totals, observe(plan, first, last), options.startMs, trafficMs),
    faults: options.faults.map(describeFault),
    events: [...options.events()],
  };
}

/** The report as text for people. */
export function renderReport(report: OnceReport): string {
  const { measured } = report;
  const ms = (value: number | null) => (value === null ? '–' : `${value.toFixed(1)} ms`);
  const zones = measured.zones.map(
    ({ call, sameZone }) =>
      `${call} ${sameZone === null ? '–' : `${Math.round(sameZone * 100)} %`}`,
  );
  return [
    ...report.checks.map((it) => `${it.ok ? 'ok    ' : 'FAILED'} ${it.name}: ${it.detail}`),
    ...report.faults.map((it) => `fault  ${it}`),
    ...report.events.map((it) => `event  ${it}`),
    `seen   start ${(measured.startMs / 1000).toFixed(1)} s with registry ${measured.registry}, traffic ${(measured.trafficMs / 1000).toFixed(1)} s`,
    `seen   p50 ${ms(measured.p50Ms)}, p99 ${ms(measured.p99Ms)} through all hops; ${measured.retries} retries, ${measured.ejections} ejections`,
    `seen   kept in the caller's zone: ${zones.join(', ')}`,
    report.ok ? 'the mesh works' : 'the mesh does NOT work as it should, see above',
    '',
  ].join('\n');
}

/** Disturbs the mesh as a `--fault` asks. */
export async function applyFault(mesh: Mesh, fault: Fault): Promise<void> {
  switch (fault.kind) {
    case 'kill':
      return mesh.kill(fault.target);
    case 'slow':
      return mesh.slow(fault.target);
    case 'fail':
      return mesh.fail(fault.target);
    case 'registry':
      return mesh.stopRegistry();
  }
}

/** The edge's port for the front service. */
export function entryPort(mesh: Mesh): number {
  const port = mesh.plan.edge.upstreams[0]?.port;
  if (port === undefined) throw new RangeError('the edge calls nobody');
  return port;
}

const FAULT_AFTER_MS = 3000;
/** Time for which a stopped registry stays away. */
const REGISTRY_AWAY_MS = 3000;
/** More than a sidecar sees in a run at the usual rate. */
const KEPT_SPANS = 2000;
const SAMPLE_MS = 1000;
/** A killed instance may still be on its way back when the traffic ends. */
const READY_TIMEOUT_MS = 10_000;

async function readySample(mesh: Mesh): Promise<Sample> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  const expected = mesh.plan.instances.length + 1;
  let sample = await mesh.sample();
  while (performance.now() < deadline) {
    const ready = [...sample.sidecars.values()].filter((it) => it.state === 'ready').length;
    if (ready === expected) break;
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
    sample = await mesh.sample();
  }
  return sample;
}

function measure(
  mesh: Mesh,
  totals: TrafficTotals,
  state: MeshState,
  startMs: number,
  trafficMs: number,
): OnceReport['measured'] {
  return {
    registry: mesh.registryKind,
    startMs: Math.round(startMs),
    trafficMs: Math.round(trafficMs),
    calls: totals.sent,
    failed: totals.sent - totals.succeeded,
    p50Ms: totals.p50Ms,
    p99Ms: totals.p99Ms,
    retries: state.retries,
    ejections: state.ejections,
    zones: state.calls.map((it) => ({
      call: `${it.caller} → ${it.callee}`,
      sameZone: it.sameZone,
    })),
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
