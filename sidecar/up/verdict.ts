import type { ClustersView } from '../admin/views.ts';
import type { Call, PlannedInstance } from './plan.ts';
import { missingJoints, type TraceTree } from './trace-tree.ts';
import type { TrafficTotals } from './traffic.ts';

/** One thing that was looked at, whether it held, and what was seen. */
export interface Check {
  readonly name: 'calls' | 'traces' | 'instances' | 'sidecars';
  readonly ok: boolean;
  readonly detail: string;
}

/** All calls succeeded, and as many were made as the rate asks for. */
export function checkCalls(totals: TrafficTotals, expected: number): Check {
  const failed = totals.sent - totals.succeeded;
  const enough = totals.sent >= expected * 0.9;
  const reasons = [...totals.failures].map(([reason, times]) => `${times} × ${reason}`);
  const found = `${totals.sent} calls, ${failed} failed`;
  const detail = [found, ...reasons, ...(enough ? [] : [`about ${expected} were due`])].join(', ');
  return { name: 'calls', ok: failed === 0 && enough, detail };
}

/** At least one trace joins every call of the mesh; otherwise what the best one lacks. */
export function checkTraces(trees: readonly TraceTree[], calls: readonly Call[]): Check {
  let best: string[] | null = null;
  let joined = 0;
  for (const tree of trees) {
    const problems = missingJoints(tree, calls);
    if (problems.length === 0) joined += 1;
    if (best === null || problems.length < best.length) best = problems;
  }
  const hops = calls.map((it) => `${it.caller} → ${it.callee}`).join(', ');
  if (joined > 0) {
    return {
      name: 'traces',
      ok: true,
      detail: `${joined} of ${trees.length} traces joined over ${hops}`,
    };
  }
  const reason =
    best === null ? 'no sidecar has kept a span' : `the best trace has ${best.join('; ')}`;
  return { name: 'traces', ok: false, detail: `none joined over ${hops}: ${reason}` };
}

/** Every instance got requests at its inbound listener. `requests` counts over restarts. */
export function checkInstances(requests: ReadonlyMap<string, number>): Check {
  const idle = [...requests].filter(([, count]) => count === 0).map(([id]) => id);
  const listed = [...requests].map(([id, count]) => `${id} ${count}`).join(', ');
  const detail = idle.length === 0 ? listed : `no traffic reached ${idle.join(', ')} (${listed})`;
  return { name: 'instances', ok: idle.length === 0, detail };
}

/** Every sidecar answers and is ready at the end. */
export function checkSidecars(
  planned: readonly PlannedInstance[],
  views: ReadonlyMap<string, ClustersView>,
): Check {
  const bad = planned.flatMap(({ id }) => {
    const state = views.get(id)?.state ?? 'not answering';
    return state === 'ready' ? [] : [`${id} is ${state}`];
  });
  const detail = bad.length === 0 ? `${planned.length} of ${planned.length} ready` : bad.join(', ');
  return { name: 'sidecars', ok: bad.length === 0, detail };
}

/** Requests per instance, added up over readings in which a restart may have reset the counter. */
export class RequestTally {
  readonly #seen = new Map<string, number>();
  readonly #total = new Map<string, number>();

  constructor(ids: Iterable<string>) {
    for (const id of ids) this.#total.set(id, 0);
  }

  add(views: ReadonlyMap<string, ClustersView>): void {
    for (const [id, view] of views) {
      const inbound = view.clusters.find((it) => it.direction === 'inbound');
      const total = this.#total.get(id);
      if (inbound === undefined || total === undefined) continue;
      const before = this.#seen.get(id) ?? 0;
      const grown = inbound.requests < before ? inbound.requests : inbound.requests - before;
      this.#total.set(id, total + grown);
      this.#seen.set(id, inbound.requests);
    }
  }

  get requests(): ReadonlyMap<string, number> {
    return this.#total;
  }
}
