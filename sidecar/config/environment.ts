import { type Path } from './config-error.ts';
import { parseDocument } from './document.ts';
import { configJsonSchema, type JsonSchema, withoutNull } from './json-schema.ts';

/** A value that a variable of the environment gives to a key. */
export interface EnvironmentValue {
  /** Name of the variable. */
  readonly name: string;
  readonly path: Path;
  /** As the file would have it; text stays text where it cannot be read, for the schema to refuse. */
  readonly value: unknown;
}

/** Variables of the project that are not keys of the configuration. */
const OTHER_VARIABLES = new Set(['OUTRIGGER_ADMIN', 'OUTRIGGER_CONFIG', 'OUTRIGGER_VECTORS']);

/** Every variable name and the key it stands for: `OUTRIGGER_INBOUND_APP_PORT` is `inbound.appPort`. */
export function environmentKeys(): ReadonlyMap<string, Path> {
  const keys = new Map<string, Path>();
  collect(configJsonSchema(), [], keys);
  return keys;
}

/**
 * The values of `OUTRIGGER_*`. Empty means unset. Numbers and truth values by the type of the key,
 * lists of words separated by commas, mappings as `key=value,…`, lists of mappings as YAML in flow
 * style; `OUTRIGGER_UPSTREAMS` also as `service:port,…`. Unknown names come back as warnings, not as
 * mistakes: Kubernetes sets such variables for services that are called so.
 */
export function readEnvironment(environment: NodeJS.ProcessEnv): {
  values: EnvironmentValue[];
  unknown: string[];
} {
  const values: EnvironmentValue[] = [];
  const unknown: string[] = [];
  const names = Object.keys(environment).filter((name) => name.startsWith('OUTRIGGER_'));
  if (names.length === 0) return { values, unknown };
  const keys = environmentKeys();
  for (const name of names.toSorted()) {
    const text = environment[name];
    const path = keys.get(name);
    if (text === undefined || text === '') continue;
    if (path !== undefined) values.push({ name, path, value: readValue(text, path) });
    else if (!OTHER_VARIABLES.has(name) && !name.startsWith('OUTRIGGER_UPSTREAM_'))
      unknown.push(name);
  }
  return { values, unknown };
}

function collect(schema: JsonSchema, path: Path, keys: Map<string, Path>): void {
  const properties = withoutNull(schema).properties;
  if (properties === undefined) {
    keys.set(variableName(path), path);
    return;
  }
  for (const [key, value] of Object.entries(properties)) collect(value, [...path, key], keys);
}

function variableName(path: Path): string {
  const words = path.map((part) => String(part).replace(/([a-z0-9])([A-Z])/g, '$1_$2'));
  return `OUTRIGGER_${words.join('_').toUpperCase()}`;
}

function readValue(text: string, path: Path): unknown {
  const schema = path.reduce<JsonSchema>(
    (outer, part) => withoutNull(outer).properties?.[part] ?? {},
    configJsonSchema(),
  );
  const { type, items } = withoutNull(schema);
  switch (type) {
    case 'integer':
    case 'number':
      return numberOrText(text);
    case 'boolean':
      return booleanOrText(text);
    case 'array':
      return readList(text, items ?? {}, path);
    case 'object':
      return readMapping(text);
    case undefined:
    default:
      return text;
  }
}

/** Decimal only: `0x10`, `1e3` and blanks stay text. */
export function numberOrText(text: string): number | string {
  return /^-?[0-9]{1,15}(\.[0-9]{1,15})?$/.test(text) ? Number(text) : text;
}

export function booleanOrText(text: string): boolean | string {
  const folded = text.toLowerCase();
  if (folded === 'true') return true;
  return folded === 'false' ? false : text;
}

function readList(text: string, items: JsonSchema, path: Path): unknown {
  if (text.startsWith('[')) return flow(text);
  const words = split(text);
  if (path[0] === 'upstreams') return words.map(shortUpstream);
  return items.type === 'integer' ? words.map(numberOrText) : words;
}

/** `orders:9101` or `orders`. */
function shortUpstream(text: string): unknown {
  const colon = text.lastIndexOf(':');
  if (colon < 0) return { service: text };
  return { service: text.slice(0, colon), port: numberOrText(text.slice(colon + 1)) };
}

function readMapping(text: string): unknown {
  if (text.startsWith('{')) return flow(text);
  const entries = split(text).map((entry): [string, string] => {
    const equals = entry.indexOf('=');
    return equals < 0
      ? [entry, '']
      : [entry.slice(0, equals).trim(), entry.slice(equals + 1).trim()];
  });
  return Object.fromEntries(entries);
}

function flow(text: string): unknown {
  const { document, mistakes } = parseDocument(text, false);
  return document !== null && mistakes.length === 0 ? document.value : text;
}

export function split(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}
