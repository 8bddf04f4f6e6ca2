import type { Path } from './config-error.ts';

/**
 * Plain data without the parts at the given paths. A list ends before its first such item, so that the
 * items left keep their numbers. The input is not changed.
 */
export function prune(value: unknown, paths: readonly Path[]): unknown {
  const copy: unknown = structuredClone(value);
  for (const path of paths) remove(copy, path);
  return copy;
}

function remove(value: unknown, path: Path): void {
  const [part, ...rest] = path;
  if (part === undefined || typeof value !== 'object' || value === null) return;
  if (rest.length > 0) {
    if (Object.hasOwn(value, part)) remove((value as Record<string | number, unknown>)[part], rest);
  } else if (Array.isArray(value)) {
    if (typeof part === 'number' && part < value.length) value.length = part;
  } else {
    delete (value as Record<string, unknown>)[part];
  }
}
