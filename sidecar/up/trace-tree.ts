import type { SpanView } from '../../telemetry/span-view.ts';
import type { Call } from './plan.ts';

export interface TraceNode {
  readonly span: SpanView;
  /** In order of their start. */
  readonly children: readonly TraceNode[];
}

/** One trace, put together from the spans that several sidecars kept. */
export interface TraceTree {
  readonly traceId: string;
  /** More than one when a parent is missing, or when nobody passed the context on. */
  readonly roots: readonly TraceNode[];
  /** Spans whose parent no sidecar has. */
  readonly orphans: number;
  readonly spans: number;
  readonly startMs: number;
  readonly durationMs: number;
}

/** Groups spans by trace and joins each to its parent; newest trace first. */
export function buildTraceTrees(spans: Iterable<SpanView>): TraceTree[] {
  const traces = new Map<string, Map<string, SpanView>>();
  for (const span of spans) {
    const known = traces.get(span.traceId);
    if (known === undefined) traces.set(span.traceId, new Map([[span.spanId, span]]));
    else known.set(span.spanId, span);
  }
  return [...traces]
    .map(([traceId, byId]) => buildTree(traceId, byId))
    .sort((a, b) => b.startMs - a.startMs);
}

/**
 * What keeps a trace from being joined up over all the given calls, one sentence each; empty when for
 * every call the callee's SERVER span hangs under the caller's CLIENT span, and that under the caller's
 * own SERVER span, or at the root where the caller is the first.
 */
export function missingJoints(tree: TraceTree, calls: readonly Call[]): string[] {
  const problems: string[] = [];
  if (tree.roots.length !== 1) problems.push(`${tree.roots.length} roots instead of one`);
  if (tree.orphans > 0) problems.push(`${tree.orphans} spans whose parent no sidecar has`);
  for (const { caller, callee, depth } of calls) {
    const above = depth === 0 ? null : caller;
    const joined = paths(tree.roots, []).some((path) => endsWith(path, above, caller, callee));
    if (joined) continue;
    const origin = above === null ? 'at the root' : `in a request that ${caller} received`;
    problems.push(`no span of ${callee} under a call from ${caller} ${origin}`);
  }
  return problems;
}

/** The tree as indented lines. `nameOf` turns the port of an endpoint into a name people know. */
export function renderTrace(tree: TraceTree, nameOf: (port: number) => string | null): string[] {
  const lines = [
    `trace ${tree.traceId}  ${tree.durationMs.toFixed(1)} ms  ${tree.spans} spans` +
      (tree.orphans > 0 ? `  (${tree.orphans} without their parent)` : ''),
  ];
  const visit = (nodes: readonly TraceNode[], indent: string) => {
    for (const [index, node] of nodes.entries()) {
      const last = index === nodes.length - 1;
      const offset = (node.span.startMs - tree.startMs).toFixed(1);
      const text = `${indent}${last ? '└─' : '├─'} ${describe(node.span, nameOf)}`;
      lines.push(
        `${text.padEnd(64)} ${`+${offset}`.padStart(7)} ${node.span.durationMs.toFixed(1).padStart(7)} ms`,
      );
      visit(node.children, `${indent}${last ? '   ' : '│  '}`);
    }
  };
  visit(tree.roots, '');
  return lines;
}

function buildTree(traceId: string, byId: ReadonlyMap<string, SpanView>): TraceTree {
  const children = new Map<string, SpanView[]>();
  const roots: SpanView[] = [];
  let orphans = 0;
  for (const span of byId.values()) {
    const parent = span.parentSpanId;
    if (parent !== null && byId.has(parent)) {
      const siblings = children.get(parent);
      if (siblings === undefined) children.set(parent, [span]);
      else siblings.push(span);
    } else {
      if (parent !== null) orphans += 1;
      roots.push(span);
    }
  }
  const node = (span: SpanView): TraceNode => ({
    span,
    children: (children.get(span.spanId) ?? []).sort(byStart).map(node),
  });
  const all = [...byId.values()];
  const startMs = all.reduce((earliest, it) => Math.min(earliest, it.startMs), Infinity);
  const endMs = all.reduce((latest, it) => Math.max(latest, it.startMs + it.durationMs), -Infinity);
  return {
    traceId,
    roots: roots.sort(byStart).map(node),
    orphans,
    spans: byId.size,
    startMs,
    durationMs: endMs - startMs,
  };
}

function byStart(a: SpanView, b: SpanView): number {
  return a.startMs - b.startMs;
}

/** Every way from a root to a node, without the INTERNAL spans, which only group attempts. */
function paths(nodes: readonly TraceNode[], above: readonly SpanView[]): SpanView[][] {
  return nodes.flatMap(({ span, children }) => {
    const here = span.kind === 'INTERNAL' ? [...above] : [...above, span];
    return [here, ...paths(children, here)];
  });
}

function endsWith(path: SpanView[], above: string | null, caller: string, callee: string): boolean {
  const [server, client, origin] = [path.at(-1), path.at(-2), path.at(-3)];
  if (server?.kind !== 'SERVER' || server.service !== callee) return false;
  if (client?.kind !== 'CLIENT' || client.service !== caller) return false;
  if (above === null) return origin === undefined;
  return origin?.kind === 'SERVER' && origin.service === above;
}

function describe(span: SpanView, nameOf: (port: number) => string | null): string {
  const { attributes } = span;
  const parts = [span.service, span.kind.toLowerCase(), span.name];
  if (span.kind === 'CLIENT') {
    const port = attributes['network.peer.port'];
    const name = typeof port === 'number' ? nameOf(port) : null;
    if (name !== null) parts.push(`→ ${name}`);
    const zone = attributes['outrigger.zone.selected'];
    if (typeof zone === 'string') parts.push(zone);
    const resend = attributes['http.request.resend_count'];
    if (typeof resend === 'number') parts.push(`retry ${resend}`);
  }
  const problem = attributes['error.type'];
  if (typeof problem === 'string') parts.push(`(${problem})`);
  return parts.join(' ');
}
