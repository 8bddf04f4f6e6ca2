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

/**
 * The newest traces join every call of the mesh. Older ones are left out: a sidecar that was killed has
 * taken its spans along, and a busy one has dropped its oldest.
 */
export function checkTraces(trees: readonly TraceTree[], calls: readonly Call[]): Check {
  const newest = trees.slice(0, JUDGED_TRACES);
  const problems = newest.map((it) => missingJoints(it, calls)).filter((it) => it.length > 0);
  const joined = newest.length - problems.length;
  const hops = calls.map((it) => `${it.caller} → ${it.callee}`).join(', ');
  const counted = `${joined} of the newest ${newest.length} traces joined over ${hops}`;
  if (newest.length === 0)
    return { name: 'traces', ok: false, detail: 'no sidecar has kept a span' };
  const ok = joined >= newest.length * JOINED_SHARE;
  const first = problems[0];
  const reason = ok || first === undefined ? '' : `; the newest other one has ${first.join('; ')}`;
  return { name: 'traces', ok, detail: counted + reason };
}

const JUDGED_TRACES = 100;
/** Leaves room for a request that was under way when its sidecar was killed. */
const JOINED_SHARE = 0.95;

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
