import type { Cluster } from '../cluster/cluster.ts';
import { Failure } from '../failure.ts';
import type { RequestHead } from '../message/head.ts';
import { hostOf } from '../route/host.ts';
import type { Route } from '../route/route.ts';
import type { RouteTable } from '../route/table.ts';
import type { Attempt } from './attempt.ts';

/** Hosts named in a `no_route` answer. */
const NAMED_HOSTS = 8;

/** The failures the pipeline itself decides on, with the evidence that is at hand. */

export function noRoute(head: RequestHead, table: RouteTable): Failure {
  const host = hostOf(head.authority);
  const hosts = [...new Set(table.rules.map((rule) => rule.host ?? '*'))].slice(0, NAMED_HOSTS);
  return new Failure('no_route', `no route for host ${host} and this path`, {
    host,
    method: head.method,
    known: hosts.join(', '),
  });
}

export function noEndpoint(cluster: Cluster): Failure {
  const { name, members, emptyCode } = cluster;
  if (members.length === 0) {
    const detail =
      emptyCode === 'unknown_service'
        ? `the registry has never listed an instance of ${name}`
        : `the registry lists no instance of ${name} any more`;
    return new Failure(emptyCode, detail, {
      service: name,
      registered: 0,
    });
  }
  const { critical, ejected, maintenance } = cluster.unusable();
  return new Failure(
    emptyCode,
    `${name} has ${members.length} instances and none is usable: ${critical} critical, ${maintenance} in maintenance, ${ejected} ejected`,
    { service: name, registered: members.length, critical, maintenance, ejected },
  );
}

export function notResolved(route: Route): Failure {
  const { name } = route.cluster;
  return new Failure(
    'discovery_pending',
    `no answer about ${name} from the registry in ${route.holdStartMs} ms`,
    { service: name, waited_ms: route.holdStartMs },
  );
}

export function bodyTooLarge(route: Route): Failure {
  return new Failure(
    'body_too_large',
    `route ${route.name} takes at most ${route.maxBodyBytes} bytes`,
    { route: route.name, max_body_bytes: route.maxBodyBytes },
  );
}

/** The route's own time or the caller's deadline, whichever was shorter. */
export function tookTooLong(route: Route, totalMs: number, live: Attempt | null): Failure {
  const evidence = {
    total_ms: Math.round(totalMs),
    endpoint: live === null ? null : `${live.address}:${live.port}`,
  };
  return route.timeoutMs > 0 && totalMs >= route.timeoutMs
    ? new Failure('request_timeout', `no complete response in ${route.timeoutMs} ms`, evidence)
    : new Failure('deadline_exceeded', `the caller gave ${Math.round(totalMs)} ms`, evidence);
}
