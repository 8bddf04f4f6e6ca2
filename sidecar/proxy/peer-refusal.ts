import type { EndpointSpec } from '../../discovery/resolver.ts';
import { Failure, type FailureCode } from '../failure.ts';
import { catalogue } from '../failure-catalogue.ts';
import type { ResponseHead } from '../message/head.ts';

/**
 * What the sidecar in front of an endpoint says when it did not hand the request to its application: a
 * failure that may be repeated elsewhere whatever the method. Null for every other answer. Believed of mesh
 * peers alone, which take the field out of what their application sends.
 */
export function peerRefusal({ meta }: EndpointSpec, head: ResponseHead): Failure | null {
  if (head.status !== 503 || !meta.has('outrigger')) return null;
  const code = head.headers.get('outrigger-error');
  if (code === null || !isCode(code) || catalogue[code].retryable !== 'safe') return null;
  return new Failure(code);
}

function isCode(code: string): code is FailureCode {
  return Object.hasOwn(catalogue, code);
}
