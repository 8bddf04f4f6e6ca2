import * as z from 'zod';
import type { Path } from './config-error.ts';
import { configSchema } from './schema.ts';

type Primitive = string | number | boolean | null;

/** The parts of JSON Schema 2020-12 that the configuration schema comes out as. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly $id?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly type?: string;
  readonly enum?: readonly Primitive[];
  readonly const?: Primitive;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  /** Set for secrets: written, never shown. */
  readonly writeOnly?: boolean;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

let cached: JsonSchema | null = null;

/** JSON Schema of the configuration file, for editors and for everything that asks about a key. */
export function configJsonSchema(): JsonSchema {
  cached ??= {
    ...(z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema),
    title: 'Outrigger configuration',
  };
  return cached;
}

/** The schema of one value; null where the file may hold nothing. Alternatives are tried in order. */
export function schemaAt(schema: JsonSchema, path: Path): JsonSchema | null {
  const [part, ...rest] = path;
  if (part === undefined) return schema;
  for (const alternative of schema.anyOf ?? [schema]) {
    const next = child(alternative, part);
    const found = next === null ? null : schemaAt(next, rest);
    if (found !== null) return found;
  }
  return null;
}

/** The schema without its "or nothing". */
export function withoutNull(schema: JsonSchema): JsonSchema {
  const others = schema.anyOf?.filter((alternative) => alternative.type !== 'null') ?? [];
  const only = others[0];
  return others.length === 1 && only !== undefined ? { ...schema, ...only, anyOf: [] } : schema;
}

function child(schema: JsonSchema, part: string | number): JsonSchema | null {
  if (typeof part === 'number') return schema.items ?? null;
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, part)) {
    return schema.properties[part] ?? null;
  }
  const others = schema.additionalProperties;
  return typeof others === 'object' ? others : null;
}
