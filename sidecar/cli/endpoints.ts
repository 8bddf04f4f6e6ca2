import type { ClustersView, ClusterView } from '../admin/views.ts';
import type { EndpointSummary } from '../cluster/summary.ts';
import { askOrExplain } from './admin-client.ts';
import type { Console } from './console.ts';
import { exitCodes } from './exit-codes.ts';
import { plain, renderTable, styled } from './table.ts';

const HEAD = [
  'SERVICE',
  'ENDPOINT',
  'ZONE',
  'WEIGHT',
  'STATE',
  'ACTIVE',
  'ATTEMPTS',
  'FAILED',
  'EJECTIONS',
  'KEEP-ALIVE',
];
const NUMBERS = [3, 5, 6, 7, 8, 9];

/** Shows the endpoints a sidecar knows, of one service or of all, with their state. */
export async function endpoints(
  service: string | undefined,
  admin: string,
  console: Console,
): Promise<number> {
  const query = service === undefined ? '' : `?service=${encodeURIComponent(service)}`;
  const answer = await askOrExplain(admin, 'GET', `/clusters${query}`, console);
  if ('exitCode' in answer) return answer.exitCode;
  const { clusters } = answer.body as ClustersView;
  const rows = clusters.flatMap((cluster) =>
    cluster.endpoints.map((endpoint) => ({ cluster, endpoint })),
  );
  if (!console.table) {
    for (const { cluster, endpoint } of rows) {
      const { name: of, direction } = cluster;
      console.out(JSON.stringify({ service: of, direction, ...endpoint }));
    }
    return exitCodes.fine;
  }
  const cells = rows.map(({ cluster, endpoint }) => cellsOf(cluster, endpoint, console));
  for (const line of renderTable(HEAD, cells, NUMBERS, console)) console.out(line);
  for (const cluster of clusters) for (const remark of remarks(cluster)) console.out(remark);
  return exitCodes.fine;
}

function cellsOf(cluster: ClusterView, endpoint: EndpointSummary, console: Console): string[] {
  const { connections } = endpoint;
  const state =
    endpoint.state === 'ejected'
      ? `ejected ${Math.ceil(endpoint.ejectedForMs / 1000)} s`
      : endpoint.state;
  const host = endpoint.address.includes(':') ? `[${endpoint.address}]` : endpoint.address;
  return [
    plain(cluster.name),
    plain(`${host}:${endpoint.port}`),
    plain(endpoint.zone) || '–',
    String(endpoint.weight),
    styled(plain(state), endpoint.state === 'usable' ? 'green' : 'red', console),
    String(endpoint.active),
    String(endpoint.attempts),
    String(endpoint.failures),
    String(endpoint.ejections),
    connections.learnedIdleMs === null ? '–' : `${connections.learnedIdleMs} ms`,
  ];
}

/** What the table cannot show, one line each. */
function remarks(cluster: ClusterView): string[] {
  const name = plain(cluster.name);
  const lines: string[] = [];
  if (cluster.panic) lines.push(`${name}: panic, too few are usable and health is ignored`);
  const { resolver } = cluster;
  if (resolver?.quarantine != null)
    lines.push(`${name}: removals held back, ${plain(resolver.quarantine)}`);
  if (resolver?.fromSnapshot === true)
    lines.push(`${name}: the list is from disk and not confirmed yet`);
  if (resolver?.lastError != null) lines.push(`${name}: ${plain(resolver.lastError)}`);
  return lines;
}
