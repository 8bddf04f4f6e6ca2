import type * as z from 'zod';
import { type ConfigError, formatPath, type Path } from './config-error.ts';
import { valueAt } from './document.ts';
import { description, expectation } from './expectation.ts';
import { type JsonSchema, schemaAt } from './json-schema.ts';
import { suggestion } from './nearest.ts';

/** A mistake with its place, before it is known which file or variable the place came from. */
export interface Mistake {
  readonly path: Path;
  readonly message: string;
}

/** Says what is wrong in the words of the schema: what was expected, what came, what was meant. */
export function explainIssues(
  issues: readonly z.core.$ZodIssue[],
  value: unknown,
  schema: JsonSchema,
): Mistake[] {
  const told = new Map<string, Mistake>();
  for (const mistake of issues.flatMap((issue) => explainIssue(issue, value, schema))) {
    // A value may break several rules that are one expectation.
    told.set(`${formatPath(mistake.path)}: ${mistake.message}`, mistake);
  }
  return [...told.values()];
}

function explainIssue(issue: z.core.$ZodIssue, value: unknown, schema: JsonSchema): Mistake[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, path);
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: `unknown key${suggestion(key, known)}`,
    }));
  }
  const got = valueAt(value, path);
  if (issue.code === 'invalid_union') {
    const nested = bestBranch(issue.errors, got);
    if (nested !== null) {
      return nested.flatMap((inner) =>
        explainIssue({ ...inner, path: [...path, ...inner.path] }, value, schema),
      );
    }
  }
  const expected = schemaAt(schema, path);
  if (issue.code === 'invalid_key') {
    const names = schemaAt(schema, path.slice(0, -1))?.propertyNames;
    return [
      { path, message: `expected ${names === undefined ? 'another key' : expectation(names)}` },
    ];
  }
  const wanted = expected === null ? 'something else' : expectation(expected);
  return [
    {
      path,
      message: `expected ${wanted}, got ${description(got, isSecret(schema, path))}${meant(expected, got)}`,
    },
  ];
}

/** Of a union's complaints those about the alternative of the same shape as what came. */
function bestBranch(
  branches: readonly (readonly z.core.$ZodIssue[])[],
  got: unknown,
): readonly z.core.$ZodIssue[] | null {
  if (typeof got !== 'object' || got === null) return null;
  return (
    branches.find((branch) =>
      branch.every((issue) => issue.path.length > 0 || issue.code === 'unrecognized_keys'),
    ) ?? null
  );
}

function meant(schema: JsonSchema | null, got: unknown): string {
  if (schema === null || typeof got !== 'string') return '';
  const values = [schema, ...(schema.anyOf ?? [])].flatMap((one) => one.enum ?? []);
  return suggestion(
    got,
    values.filter((value) => typeof value === 'string'),
  );
}

function keysAt(schema: JsonSchema, path: Path): string[] {
  const found = schemaAt(schema, path);
  if (found === null) return [];
  return [found, ...(found.anyOf ?? [])].flatMap((one) => Object.keys(one.properties ?? {}));
}

/** Whether a value at the path, or around it, is one that is never shown. */
export function isSecret(schema: JsonSchema, path: Path): boolean {
  for (let length = 1; length <= path.length; length++) {
    if (schemaAt(schema, path.slice(0, length))?.writeOnly === true) return true;
  }
  return false;
}

export function explained(mistake: Mistake, source: string): ConfigError {
  return { source, path: formatPath(mistake.path), message: mistake.message };
}
