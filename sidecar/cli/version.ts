import { existsSync, readFileSync } from 'node:fs';

/** Version of the package, from the `package.json` beside the sources or above the build. */
export function version(): string {
  for (const place of ['../../package.json', '../../../package.json']) {
    const file = new URL(place, import.meta.url);
    if (!existsSync(file)) continue;
    const { name, version: found } = JSON.parse(readFileSync(file, 'utf8')) as Record<
      string,
      unknown
    >;
    if (name === 'outrigger' && typeof found === 'string') return found;
  }
  return 'unknown';
}
