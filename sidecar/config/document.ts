import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type YAMLError,
} from 'yaml';
import { type ConfigError, formatPath, type Path, printable } from './config-error.ts';
import { nestingMistake } from './nesting.ts';

/** A file as plain data, and where each part of it stands. */
export interface ConfigDocument {
  /** Objects, lists, strings, finite numbers, booleans, null; undefined for an empty file. */
  readonly value: unknown;
  /** Line of a key, else of its value, else of the nearest part around it; from 1. */
  lineOf(path: Path): number;
  /** Whether the file itself has a value there. */
  has(path: Path): boolean;
}

export type ParsedDocument =
  | { readonly ok: true; readonly document: ConfigDocument }
  | { readonly ok: false; readonly errors: readonly ConfigError[] };

/** Enough for a few anchors used a few times, far from what an alias bomb needs. */
const MAX_ALIASES = 100;

/** Keys that reach an object's prototype in careless code. */
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Reads YAML 1.2, or JSON when `json` is set; strictly: one document, unique keys, only text keys, no
 * tags, no merge keys, few aliases, bounded depth. `name` is what errors call the file. Never throws.
 */
export function parseDocument(text: string, name: string, json: boolean): ParsedDocument {
  const early = json ? jsonMistake(text, name) : null;
  if (early !== null) return { ok: false, errors: [early] };
  const nested = nestingMistake(text);
  if (nested !== null) {
    return {
      ok: false,
      errors: [{ source: `${name}:${nested.line}`, path: '', message: nested.message }],
    };
  }
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    version: '1.2',
    schema: 'core',
    stringKeys: true,
    // Looked at below: the library compares each key with each other one.
    uniqueKeys: false,
    merge: false,
    resolveKnownTags: false,
    prettyErrors: false,
    logLevel: 'error',
    lineCounter: lines,
  });
  const first = documents[0];
  const second = documents[1];
  if (second !== undefined) {
    const line = lines.linePos(second.range[0]).line;
    return {
      ok: false,
      errors: [
        {
          source: `${name}:${line}`,
          path: '',
          message: 'expected one document, got another one here',
        },
      ],
    };
  }
  if (first === undefined) return { ok: true, document: emptyDocument };
  return readDocument(first, name, lines);
}

function readDocument(document: Document.Parsed, name: string, lines: LineCounter): ParsedDocument {
  const errors: ConfigError[] = [...document.errors, ...document.warnings].map((error) => ({
    source: `${name}:${lines.linePos(error.pos[0]).line}`,
    path: '',
    message: syntaxMessage(error),
  }));
  if (errors.length === 0) walk(document.contents, [], errors, name, lines);
  if (errors.length > 0) return { ok: false, errors: errors.slice(0, MAX_ERRORS) };
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return { ok: true, document: new LocatedDocument(document, value, lines) };
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    return {
      ok: false,
      errors: [{ source: name, path: '', message: 'too many aliases, or one without an anchor' }],
    };
  }
}

/** A broken file repeats itself: the first mistakes are the ones to read. */
const MAX_ERRORS = 50;

function walk(
  node: Node | null,
  path: Path,
  errors: ConfigError[],
  name: string,
  lines: LineCounter,
): void {
  if (isSeq(node)) {
    node.items.forEach((item, index) => {
      walk(item as Node | null, [...path, index], errors, name, lines);
    });
  } else if (isMap(node)) {
    const seen = new Set<string>();
    for (const pair of node.items) {
      const key = isScalar(pair.key) ? String(pair.key.value) : '';
      const offset = isScalar(pair.key) ? (pair.key.range?.[0] ?? 0) : 0;
      const source = `${name}:${lines.linePos(offset).line}`;
      if (isAlias(pair.key)) {
        errors.push({
          source,
          path: formatPath(path),
          message: 'expected a plain key, got an alias',
        });
      } else if (FORBIDDEN.has(key)) {
        errors.push({
          source,
          path: formatPath([...path, key]),
          message: 'this key is never allowed',
        });
      } else if (seen.has(key)) {
        errors.push({
          source,
          path: formatPath([...path, key]),
          message: 'expected a key once, got it twice',
        });
      }
      seen.add(key);
      walk(pair.value as Node | null, [...path, key], errors, name, lines);
    }
  }
}

class LocatedDocument implements ConfigDocument {
  readonly value: unknown;
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;

  constructor(document: Document.Parsed, value: unknown, lines: LineCounter) {
    this.#document = document;
    this.value = value ?? undefined;
    this.#lines = lines;
  }

  lineOf(path: Path): number {
    let node: unknown = this.#document.contents;
    let offset = startOf(node) ?? 0;
    for (const part of path) {
      if (isAlias(node)) node = node.resolve(this.#document);
      if (isMap(node)) {
        const pair = node.items.find((item) => isScalar(item.key) && item.key.value === part);
        if (pair === undefined) break;
        offset = startOf(pair.key) ?? offset;
        node = pair.value;
      } else if (isSeq(node) && typeof part === 'number') {
        node = node.items[part];
        offset = startOf(node) ?? offset;
      } else break;
    }
    return this.#lines.linePos(offset).line;
  }

  has(path: Path): boolean {
    return valueAt(this.value, path) !== undefined;
  }
}

/** The part of plain data at a path; undefined when there is none. Looks at own keys only. */
export function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const part of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, part))
      return undefined;
    current = (current as Record<string | number, unknown>)[part];
  }
  return current;
}

const emptyDocument: ConfigDocument = { value: undefined, lineOf: () => 1, has: () => false };

function startOf(node: unknown): number | null {
  const range = (node as { range?: readonly number[] | null } | null | undefined)?.range;
  return range?.[0] ?? null;
}

function syntaxMessage(error: YAMLError): string {
  if (error.code === 'TAG_RESOLVE_FAILED') return 'tags are not allowed';
  if (error.code === 'NON_STRING_KEY') return 'expected text as a key';
  const first = error.message.split('\n', 1)[0] ?? '';
  return printable(first.charAt(0).toLowerCase() + first.slice(1)).replace(/[.:]$/, '');
}

/** Where `JSON.parse` stops; YAML takes nearly all of JSON and much that is not. */
function jsonMistake(text: string, name: string): ConfigError | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    const position = /at position ([0-9]+)/.exec(message)?.[1];
    const before = position === undefined ? text : text.slice(0, Number(position));
    const line = before.split('\n').length;
    return {
      source: `${name}:${line}`,
      path: '',
      message: 'expected JSON, got something else here',
    };
  }
}
