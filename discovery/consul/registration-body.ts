import { type ConsulVersion, isAtLeast } from './version.ts';

/** How the instance presents itself. */
export interface RegistrationOptions {
  /** Unique on its node, for example `web-1`. */
  readonly id: string;
  readonly name: string;
  /** Where callers reach the inbound listener. */
  readonly address: string;
  readonly port: number;
  readonly tags: readonly string[];
  readonly meta: ReadonlyMap<string, string>;
  /** Empty when unknown. */
  readonly zone: string;
  readonly region: string;
  readonly zoneKey: string;
  readonly regionKey: string;
  /** What a mesh peer may use on this instance: `h2`, `load`. */
  readonly capabilities: readonly string[];
  readonly weights: { readonly passing: number; readonly warning: number };
  /** The instance is critical when it has not been heard of for this long. */
  readonly ttlMs: number;
  /** Consul removes an instance that has been critical for this long; at least a minute. */
  readonly deregisterAfterMs: number;
}

export function ttlCheckId(id: string): string {
  return `${id}-ttl`;
}

/** First version that stores `Locality`; older ones refuse a registration with fields they do not know. */
const LOCALITY_SINCE = [1, 16] as const;

/**
 * The body of `PUT /v1/agent/service/register` for one version of Consul, without the `refused` fields.
 * `serving`: the application accepts requests now.
 */
export function registrationBody(
  options: RegistrationOptions,
  version: ConsulVersion,
  refused: ReadonlySet<string>,
  serving: boolean,
): Record<string, unknown> {
  const { id, zone, region } = options;
  const meta = new Map(options.meta);
  if (zone !== '') meta.set(options.zoneKey, zone);
  if (region !== '') meta.set(options.regionKey, region);
  if (options.capabilities.length > 0) meta.set('outrigger', options.capabilities.join(','));
  const body: Record<string, unknown> = {
    ID: id,
    Name: options.name,
    Address: options.address,
    Port: options.port,
    Tags: options.tags,
    Meta: Object.fromEntries(meta),
    Weights: { Passing: options.weights.passing, Warning: options.weights.warning },
    Checks: checksOf(options, serving),
  };
  if (zone !== '' && isAtLeast(version, ...LOCALITY_SINCE)) {
    body['Locality'] = { Region: region, Zone: zone };
  }
  for (const field of refused) delete body[field];
  return body;
}

/** Ids are always given: the ones Consul makes up depend on the order of the list. */
function checksOf(
  options: RegistrationOptions,
  serving: boolean,
): readonly Record<string, unknown>[] {
  return [
    {
      CheckID: ttlCheckId(options.id),
      Name: 'outrigger heartbeat',
      TTL: `${options.ttlMs}ms`,
      // A new check is critical unless it says otherwise.
      Status: serving ? 'passing' : 'critical',
      DeregisterCriticalServiceAfter: `${options.deregisterAfterMs}ms`,
    },
  ];
}
