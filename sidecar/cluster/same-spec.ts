import type { EndpointSpec } from '../../discovery/resolver.ts';

/** Two descriptions of one endpoint say the same. */
export function sameSpec(one: EndpointSpec, other: EndpointSpec): boolean {
  return (
    one === other ||
    (one.id === other.id &&
      one.address === other.address &&
      one.port === other.port &&
      one.weight === other.weight &&
      one.zone === other.zone &&
      one.region === other.region &&
      one.health === other.health &&
      sameTags(one.tags, other.tags) &&
      sameMeta(one.meta, other.meta))
  );
}

function sameTags(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((tag, index) => tag === other[index]);
}

function sameMeta(one: EndpointSpec['meta'], other: EndpointSpec['meta']): boolean {
  if (one.size !== other.size) return false;
  for (const [key, value] of one) if (other.get(key) !== value) return false;
  return true;
}
