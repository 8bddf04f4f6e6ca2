import type { EndpointSpec } from './resolver.ts';

/**
 * The next list in the order of ids, each once, made of the previous records wherever nothing changed, so that
 * whoever compares by identity rebuilds only what did. The previous list itself when all is equal.
 */
export function reuseUnchanged(
  previous: readonly EndpointSpec[],
  next: Iterable<EndpointSpec>,
): readonly EndpointSpec[] {
  const known = new Map(previous.map((endpoint) => [endpoint.id, endpoint]));
  const unique = new Map<string, EndpointSpec>();
  for (const endpoint of next) {
    const before = known.get(endpoint.id);
    const same = before !== undefined && sameEndpoint(before, endpoint);
    unique.set(endpoint.id, same ? before : endpoint);
  }
  const list = [...unique.values()].sort(byId);
  const unchanged =
    list.length === previous.length && list.every((endpoint, i) => endpoint === previous[i]);
  return unchanged ? previous : list;
}

function byId(a: EndpointSpec, b: EndpointSpec): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

function sameEndpoint(a: EndpointSpec, b: EndpointSpec): boolean {
  return (
    a.address === b.address &&
    a.port === b.port &&
    a.weight === b.weight &&
    a.zone === b.zone &&
    a.region === b.region &&
    a.health === b.health &&
    a.tags.length === b.tags.length &&
    a.tags.every((tag, i) => tag === b.tags[i]) &&
    a.meta.size === b.meta.size &&
    sameMeta(a.meta, b.meta)
  );
}

function sameMeta(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}
