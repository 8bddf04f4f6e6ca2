import * as z from 'zod';

/** Every key optional, at every depth. */
export type Override<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: Override<T[K]> | undefined }
    : T;

/**
 * The schema of a section that overrides another one: same keys, bounds and descriptions, no
 * defaults, so that a key left out is told apart from a key that repeats the default.
 */
export function override<T extends z.ZodObject>(schema: T): z.ZodType<Override<z.output<T>>> {
  return strip(schema) as unknown as z.ZodType<Override<z.output<T>>>;
}

function strip(schema: z.ZodObject): z.ZodObject {
  const shape: Record<string, z.ZodType> = {};
  for (const [key, value] of Object.entries(schema.shape)) {
    const field = value as z.ZodType;
    const bare = withoutDefault(field);
    const inner = bare instanceof z.ZodObject ? strip(bare) : bare;
    shape[key] = inner.optional().describe(field.description ?? '');
  }
  return z.strictObject(shape);
}

function withoutDefault(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault
    ? (schema.unwrap() as z.ZodType)
    : schema;
}

/** `base` with the keys that `changes` gives; lists are replaced, never joined. */
export function applyOverride<T extends object>(
  base: T,
  changes: Override<NoInfer<T>> | undefined,
): T {
  if (changes === undefined) return base;
  const result: Record<string, unknown> = Object.fromEntries(Object.entries(base));
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) continue;
    const current = result[key];
    result[key] =
      isPlainObject(current) && isPlainObject(value) ? applyOverride(current, value) : value;
  }
  return result as T;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
