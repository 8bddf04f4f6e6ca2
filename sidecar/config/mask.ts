import { configJsonSchema, type JsonSchema, withoutNull } from './json-schema.ts';
import type { Config } from './schema.ts';

/** The configuration as it may be shown: every secret that is set is `***`. */
export function maskSecrets(config: Config): unknown {
  return mask(config, configJsonSchema());
}

function mask(value: unknown, schema: JsonSchema): unknown {
  const { writeOnly, properties, items } = withoutNull(schema);
  if (writeOnly === true) return hide(value);
  if (Array.isArray(value))
    return items === undefined ? value : value.map((item) => mask(item, items));
  if (typeof value !== 'object' || value === null || properties === undefined) return value;
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] => {
    const known = Object.hasOwn(properties, key) ? properties[key] : undefined;
    return [key, known === undefined ? inner : mask(inner, known)];
  });
  return Object.fromEntries(entries);
}

/** Empty stays empty: that nothing is set is worth knowing. */
function hide(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.keys(value).map((key) => [key, '***']));
  }
  return value === '' ? '' : '***';
}
