import type { ReadyView } from '../admin/views.ts';
import { askOrExplain } from './admin-client.ts';
import type { Console } from './console.ts';
import { exitCodes } from './exit-codes.ts';
import { plain } from './table.ts';

/** Tells a sidecar to drain: it leaves the registry and serves on until it is stopped. */
export async function drain(admin: string, console: Console): Promise<number> {
  const answer = await askOrExplain(admin, 'POST', '/drain', console);
  if ('exitCode' in answer) return answer.exitCode;
  const { state } = answer.body as ReadyView;
  console.out(console.table ? plain(state) : JSON.stringify(answer.body));
  return exitCodes.fine;
}
