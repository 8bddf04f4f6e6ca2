import type { ConfigView } from '../admin/views.ts';
import { valueAt } from '../config/document.ts';
import { askOrExplain } from './admin-client.ts';
import type { Console } from './console.ts';
import { exitCodes } from './exit-codes.ts';
import { plain, styled } from './table.ts';

/** Shows the configuration in force, and where each value came from. */
export async function config(all: boolean, admin: string, console: Console): Promise<number> {
  const answer = await askOrExplain(admin, 'GET', '/config', console);
  if ('exitCode' in answer) return answer.exitCode;
  const view = answer.body as ConfigView;
  if (!console.table) {
    console.out(JSON.stringify(view));
    return exitCodes.fine;
  }
  const origin = view.file === null ? 'the environment' : plain(view.file);
  console.out(`generation ${view.generation} from ${origin}, ${plain(view.loadedAt)}`);
  for (const [key, source] of Object.entries(view.sources)) {
    if (source === 'default' && !all) continue;
    const value = JSON.stringify(valueAt(view.config, parts(key))) ?? '–';
    console.out(`${plain(key)} = ${plain(value)}  ${styled(`(${plain(source)})`, 'dim', console)}`);
  }
  if (view.rejected.length > 0) {
    console.out(styled('the last file was rejected:', 'red', console));
    for (const line of view.rejected) console.out(`  ${plain(line)}`);
  }
  return exitCodes.fine;
}

/** `upstreams[0].port` as the keys it is made of. A key with a dot in it is shown without its value. */
function parts(key: string): (string | number)[] {
  return key
    .split(/[.[\]]+/)
    .filter((part) => part !== '')
    .map((part) => (/^[0-9]+$/.test(part) ? Number(part) : part));
}
