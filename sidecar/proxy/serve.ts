import type { Requester, Responder } from '../message/exchange.ts';
import type { RequestHead } from '../message/head.ts';
import { Exchange } from './exchange.ts';
import type { Scope } from './scope.ts';

/**
 * The request path: every request of every listener enters here, with the snapshot of this moment. The
 * answer, also a refusal, comes through the requester and never before this function has returned.
 */
export function serve(scope: Scope, head: RequestHead, requester: Requester): Responder {
  const snapshot = scope.live.current;
  const entry = snapshot.entries.get(scope.entry) ?? snapshot.closed;
  const exchange = new Exchange(scope, snapshot, entry, head, requester);
  exchange.begin();
  return exchange;
}
