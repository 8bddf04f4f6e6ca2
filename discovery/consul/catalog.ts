import type { EndpointSpec } from '../resolver.ts';

export interface CatalogOptions {
  /** Key in service and node meta that names the zone. */
  readonly zoneKey: string;
  readonly regionKey: string;
  /** Use the address registered for the local network or for others; null: the plain one. */
  readonly addressTag: 'lan' | 'wan' | null;
}

export type Catalog =
  | {
      readonly ok: true;
      readonly endpoints: readonly EndpointSpec[];
      /** Instances left out because they cannot be dialled, in words. */
      readonly skipped: readonly string[];
    }
  | { readonly ok: false; readonly problem: string };

const MAX_WEIGHT = 65_535;
const MAX_ADDRESS_LENGTH = 253;

/**
 * Reads the answer of `GET /v1/health/service/:name`. All or nothing: an answer of another shape is a
 * problem as a whole. Instances with no address or port to dial are left out and named.
 */
export function readHealth(answer: unknown, options: CatalogOptions): Catalog {
  if (!Array.isArray(answer)) return { ok: false, problem: 'expected a list of instances' };
  const endpoints = new Map<string, EndpointSpec>();
  const skipped: string[] = [];
  for (const [i, entry] of answer.entries()) {
    const node = recordOf(recordOf(entry)?.['Node']);
    const service = recordOf(recordOf(entry)?.['Service']);
    const nodeName = textOf(node?.['Node']);
    const serviceId = textOf(service?.['ID']);
    if (node === null || service === null || nodeName === '' || serviceId === '') {
      return { ok: false, problem: `instance ${i}: expected Node.Node and Service.ID` };
    }
    // Service ids are unique on their node only.
    const id = `${nodeName}/${serviceId}`;
    const { address, port } = addressOf(node, service, options.addressTag);
    if (!isAddress(address) || !isPort(port)) {
      skipped.push(`${id}: no address to dial in ${JSON.stringify(address)} port ${String(port)}`);
      continue;
    }
    const checks = checksOf(recordOf(entry)?.['Checks'], serviceId);
    const { health, warning } = worstOf(checks);
    endpoints.set(id, {
      id,
      address,
      port,
      weight: weightOf(service['Weights'], warning),
      zone: placeOf(node, service, 'Zone', options.zoneKey),
      region: placeOf(node, service, 'Region', options.regionKey),
      health,
      tags: listOf(service['Tags']).filter((tag) => typeof tag === 'string'),
      meta: metaOf(service['Meta']),
    });
  }
  return { ok: true, endpoints: [...endpoints.values()], skipped };
}

type Json = Readonly<Record<string, unknown>>;

function addressOf(
  node: Json,
  service: Json,
  tag: CatalogOptions['addressTag'],
): { address: string; port: unknown } {
  const port = service['Port'] === 0 ? defaultPortOf(service['Ports']) : service['Port'];
  if (tag !== null) {
    const tagged = recordOf(recordOf(service['TaggedAddresses'])?.[tag]);
    const address = textOf(tagged?.['Address']);
    if (address !== '') {
      const own = tagged?.['Port'];
      return { address: unbracketed(address), port: isPort(own) ? own : port };
    }
  }
  const ofNode = tag === null ? '' : textOf(recordOf(node['TaggedAddresses'])?.[tag]);
  const address = textOf(service['Address']) || ofNode || textOf(node['Address']);
  return { address: unbracketed(address), port };
}

/** From Consul 2.0 a service may have several named ports and `Port: 0`. */
function defaultPortOf(ports: unknown): unknown {
  const all = listOf(ports).map(recordOf);
  const chosen =
    all.find((port) => port?.['Default'] === true) ?? (all.length === 1 ? all[0] : null);
  return chosen?.['Port'] ?? 0;
}

function unbracketed(address: string): string {
  return address.startsWith('[') && address.endsWith(']') ? address.slice(1, -1) : address;
}

function isAddress(address: string): boolean {
  return address.length <= MAX_ADDRESS_LENGTH && /^[\w.:%-]+$/.test(address);
}

function isPort(port: unknown): port is number {
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535;
}

/** The instance's own checks and those of its node: when an agent dies only the latter say so. */
function checksOf(checks: unknown, serviceId: string): readonly Json[] {
  return listOf(checks)
    .map(recordOf)
    .filter((check) => check !== null)
    .filter((check) => textOf(check['ServiceID']) === '' || check['ServiceID'] === serviceId);
}

function worstOf(checks: readonly Json[]): { health: EndpointSpec['health']; warning: boolean } {
  let health: EndpointSpec['health'] = 'passing';
  let warning = false;
  for (const check of checks) {
    const status = check['Status'];
    if (status === 'passing') continue;
    if (status === 'warning') warning = true;
    else if (isMaintenance(check)) return { health: 'maintenance', warning: false };
    else health = 'critical';
  }
  return { health, warning };
}

function isMaintenance(check: Json): boolean {
  const id = textOf(check['CheckID']);
  return (
    check['Status'] === 'maintenance' ||
    id === '_node_maintenance' ||
    id.startsWith('_service_maintenance:')
  );
}

/** Consul refuses a passing weight below 1, so 0 there means "not set"; a warning weight of 0 is meant. */
function weightOf(weights: unknown, warning: boolean): number {
  const both = recordOf(weights);
  const passing = both?.['Passing'];
  const unset = typeof passing !== 'number' || !(passing >= 1);
  const weight = unset ? 1 : warning ? both?.['Warning'] : passing;
  if (typeof weight !== 'number' || !(weight >= 0)) return 1;
  return Math.min(MAX_WEIGHT, Math.floor(weight));
}

function placeOf(node: Json, service: Json, field: 'Zone' | 'Region', key: string): string {
  return (
    textOf(recordOf(service['Locality'])?.[field]) ||
    textOf(recordOf(service['Meta'])?.[key]) ||
    textOf(recordOf(node['Locality'])?.[field]) ||
    textOf(recordOf(node['Meta'])?.[key])
  );
}

function metaOf(meta: unknown): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (const [key, value] of Object.entries(recordOf(meta) ?? {})) {
    if (typeof value === 'string') map.set(key, value);
  }
  return map;
}

function recordOf(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Json)
    : null;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
