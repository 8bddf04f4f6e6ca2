import type { EndpointSpec } from '../../discovery/resolver.ts';
import type { Upstream } from '../upstream/upstream.ts';

/**
 * One address of a cluster: its connections, and all that must survive while pickers come and go.
 * Plain fields, because balancers read them on every choice; only `Cluster` and its parts write them.
 */
export class Endpoint {
  /** Replaced when the registry changes weight, health, zone or metadata; id and address never change. */
  spec: EndpointSpec;
  /** Replaced when a reload changes what it was made with. */
  upstream: Upstream;
  /** `address:port`, IPv6 in brackets. */
  readonly key: string;

  /** In the registry's present list; one that left may still have work under way. */
  member = true;
  /** Attempts sent by this sidecar and not yet ended. */
  inflight = 0;
  /** Attempts since the start. */
  attempts = 0;
  /** Of these, the ones that failed here: a 5xx, or no usable answer for a reason of the endpoint's. */
  failures = 0;

  /** Chance that a choice of this endpoint stands, 0–1; below 1 only while it is eased in. */
  softWeight = 1;

  /** Clock time at which the ejection ends; 0 when not ejected. Stays set until a trial has succeeded. */
  ejectedUntil = 0;
  /** After an ejection: nothing yet, a trial request is due, or one is under way. */
  trial: 'none' | 'due' | 'sent' = 'none';
  /** Ejections since the start. */
  ejections = 0;

  /** Failures in a row, by what they say: 5xx of all kinds, gateway failures, failures seen from here. */
  readonly streak = { serverErrors: 0, gatewayErrors: 0, localFailures: 0 };
  /** Share of failures among the last ten answers or so, 0–1. */
  errorRate = 0;

  constructor(spec: EndpointSpec, upstream: Upstream) {
    this.spec = spec;
    this.upstream = upstream;
    this.key = spec.address.includes(':')
      ? `[${spec.address}]:${spec.port}`
      : `${spec.address}:${spec.port}`;
  }
}
