import type { TracesView } from '../admin/views.ts';
import { buildTraceTrees, renderTrace } from '../up/trace-tree.ts';
import { askOrExplain } from './admin-client.ts';
import type { Console } from './console.ts';
import { exitCodes } from './exit-codes.ts';
import { plain } from './table.ts';

export interface TracesOptions {
  readonly trace?: string;
  readonly limit?: string;
}

/** Traces that are shown when no number is given. */
const DEFAULT_TRACES = 10;

/** Shows the spans a sidecar kept, each trace as an indented tree; the oldest first, as logs are read. */
export async function traces(
  options: TracesOptions,
  admin: string,
  console: Console,
): Promise<number> {
  const limit = options.limit === undefined ? DEFAULT_TRACES : Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1) {
    console.err('--limit: expected a whole number from 1');
    return exitCodes.mistake;
  }
  const query = options.trace === undefined ? '' : `&trace=${encodeURIComponent(options.trace)}`;
  const answer = await askOrExplain(admin, 'GET', `/traces?limit=100000${query}`, console);
  if ('exitCode' in answer) return answer.exitCode;
  const { spans } = answer.body as TracesView;
  const trees = buildTraceTrees(spans).slice(0, limit).toReversed();
  if (trees.length === 0) {
    console.err('no trace is kept: nothing was sampled yet, or `trace.recent` is 0');
    return options.trace === undefined ? exitCodes.fine : exitCodes.failure;
  }
  for (const tree of trees) {
    if (console.table) for (const line of renderTrace(tree, () => null)) console.out(plain(line));
    else console.out(JSON.stringify(tree));
  }
  return exitCodes.fine;
}
