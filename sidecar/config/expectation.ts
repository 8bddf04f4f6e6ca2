import { printable } from './config-error.ts';
import type { JsonSchema } from './json-schema.ts';

/** What a value should have been, as it follows "expected". */
export function expectation(schema: JsonSchema): string {
  const alternatives = schema.anyOf?.filter((alternative) => alternative.type !== 'null') ?? [];
  if (alternatives.length > 0) return alternatives.map(expectation).join(' or ');
  if (schema.title !== undefined) return schema.title;
  if (schema.enum !== undefined) return oneOf(schema.enum);
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  switch (schema.type) {
    case 'integer':
      return `a whole number ${schema.minimum ?? ''}–${schema.maximum ?? ''}`;
    case 'number':
      return `a number ${schema.minimum ?? ''}–${schema.maximum ?? ''}`;
    case 'boolean':
      return '`true` or `false`';
    case 'array':
      return schema.maxItems === undefined ? 'a list' : `a list of at most ${schema.maxItems}`;
    case 'object':
      return 'a mapping';
    case 'string':
      return stringExpectation(schema);
    case undefined:
    default:
      return 'something else';
  }
}

/** What came, as it follows "got"; the text of secrets stays hidden. */
export function description(value: unknown, secret: boolean): string {
  if (value === undefined || value === null) return 'nothing';
  if (secret) return 'a hidden value';
  if (typeof value === 'string') return `"${printable(value)}"`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'a mapping';
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : 'something else';
}

function oneOf(values: readonly (string | number | boolean | null)[]): string {
  const names = values.map((value) => `\`${String(value)}\``);
  return names.length === 1 ? (names[0] ?? '') : `one of ${names.join(', ')}`;
}

function stringExpectation(schema: JsonSchema): string {
  const least = schema.minLength ?? 0;
  const most = schema.maxLength;
  if (most === undefined) return least > 0 ? 'text that is not empty' : 'text';
  return `text of ${least}–${most} characters`;
}
