import { formatPath, type Path } from './config-error.ts';
import { type ConfigDocument, valueAt } from './document.ts';
import type { EnvironmentValue } from './environment.ts';
import type { Config } from './schema.ts';

const INHERITED = new Set(['balancing', 'outliers', 'retries', 'limits']);

/** Knows for every key of a configuration where its value came from. */
export class Sources {
  readonly #file: string | null;
  readonly #document: ConfigDocument | null;
  /** Later ones win. */
  readonly #values: readonly EnvironmentValue[];

  constructor(
    file: string | null,
    document: ConfigDocument | null,
    values: readonly EnvironmentValue[],
  ) {
    this.#file = file;
    this.#document = document;
    this.#values = values;
  }

  /** `file:line`, `env:NAME` or `default`. An inherited value has the source of what it inherits. */
  of(path: Path): string {
    const variable = this.#variable(path);
    if (
      variable !== null &&
      valueAt(variable.value, path.slice(variable.path.length)) !== undefined
    ) {
      return `env:${variable.name}`;
    }
    if (this.#document?.has(path) === true)
      return `${this.#file ?? ''}:${this.#document.lineOf(path)}`;
    const inherited = inheritedFrom(path);
    return inherited === null ? 'default' : this.of(inherited);
  }

  /** Where a mistake at this path is to be corrected: `file:line`, `env NAME`, or the file. */
  place(path: Path): string {
    const variable = this.#variable(path);
    if (variable !== null) return `env ${variable.name}`;
    if (this.#document === null || this.#file === null) return 'configuration';
    return `${this.#file}:${this.#document.lineOf(path)}`;
  }

  /** Line of a path in the file; 0 when the environment gave it, or there is no file. */
  lineOf(path: Path): number {
    if (this.#document === null || this.#variable(path) !== null) return 0;
    return this.#document.lineOf(path);
  }

  /** The source of every value that is not itself a section, by dotted path. */
  list(config: Config): Record<string, string> {
    const list: Record<string, string> = {};
    this.#visit(config, [], list);
    return list;
  }

  #variable(path: Path): EnvironmentValue | null {
    const found = this.#values.findLast(
      (candidate) =>
        candidate.path.length <= path.length &&
        candidate.path.every((part, index) => part === path[index]),
    );
    return found ?? null;
  }

  #visit(value: unknown, path: Path, list: Record<string, string>): void {
    if (typeof value === 'object' && value !== null) {
      for (const key of Object.keys(value)) {
        const part = Array.isArray(value) ? Number(key) : key;
        this.#visit((value as Record<string, unknown>)[key], [...path, part], list);
      }
    } else list[formatPath(path)] = this.of(path);
  }
}

/** `upstreams[0].limits.maxRequests` inherits `limits.maxRequests`, the inbound listener likewise. */
function inheritedFrom(path: Path): Path | null {
  const rest = path[0] === 'upstreams' ? path.slice(2) : path[0] === 'inbound' ? path.slice(1) : [];
  const section = rest[0];
  return typeof section === 'string' && INHERITED.has(section) ? rest : null;
}
