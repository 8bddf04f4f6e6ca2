import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type YAMLError,
} from 'yaml';
import { type Path, printable } from './config-error.ts';
import { foundAt } from './found-at.ts';
import { jsonMistake } from './json-mistake.ts';
import { nestingMistake } from './nesting.ts';
import { type DocumentMistake, NodeReader } from './node-reader.ts';

/** A file as plain data, and where each part of it stands. */
export interface ConfigDocument {
  /** Objects, lists, strings, numbers, booleans, null; undefined for an empty file. */
  readonly value: unknown;
  /** Line of a key, else of its value, else of the nearest part around it; from 1. */
  lineOf(path: Path): number;
  /** Whether the file itself has a value there. */
  has(path: Path): boolean;
}

export interface ParsedDocument {
  /** What could be read beside the mistakes; null when nothing of the text can be relied on. */
  readonly document: ConfigDocument | null;
  readonly mistakes: readonly DocumentMistake[];
}

/**
 * Reads YAML 1.2, or JSON when `json` is set; strictly: one document, unique keys, only text keys, no
 * tags, no merge keys, few aliases, bounded depth. Never throws.
 */
export function parseDocument(text: string, json: boolean): ParsedDocument {
  const fatal = nestingMistake(text) ?? (json ? notJson(text) : null);
  if (fatal !== null) return { document: null, mistakes: [{ ...fatal, path: [] }] };
  const lines = new LineCounter();
  const [first, second] = parseAllDocuments(text, {
    version: '1.2',
    schema: 'core',
    stringKeys: true,
    // Looked at when the nodes are read: the library compares each key with each other one.
    uniqueKeys: false,
    merge: false,
    resolveKnownTags: false,
    prettyErrors: false,
    logLevel: 'error',
    lineCounter: lines,
  });
  if (first === undefined) return { document: emptyDocument, mistakes: [] };
  const found = [...first.errors, ...first.warnings];
  const mistakes: DocumentMistake[] = found.slice(0, MAX_MISTAKES).map((error) => {
    const { line, found: got } = foundAt(text, error.pos[0]);
    return { line, path: [], message: syntaxMessage(error, got) };
  });
  if (!found.every(({ code }) => code in harmless)) return { document: null, mistakes };
  const reader = new NodeReader(lines);
  const value = reader.read(first.contents);
  mistakes.push(...reader.mistakes);
  if (second !== undefined) {
    const { line } = lines.linePos(second.range[0]);
    mistakes.push({ line, path: [], message: 'expected one document, got another one here' });
  }
  return {
    document: reader.tooMuch ? null : new LocatedDocument(first, value, lines),
    mistakes: mistakes.slice(0, MAX_MISTAKES),
  };
}

/** A broken file repeats itself: the first mistakes are the ones to read. */
const MAX_MISTAKES = 50;
/** Longer than any sentence of the library. */
const MAX_REASON = 200;

/** Errors of the library that leave no doubt about the rest of the file, and what was expected instead. */
const harmless: Readonly<Record<string, string>> = {
  TAG_RESOLVE_FAILED: 'a value without a tag',
  NON_STRING_KEY: 'text as a key',
};

function syntaxMessage(error: YAMLError, got: string): string {
  const expected = harmless[error.code];
  if (expected !== undefined) return `expected ${expected}, got ${got}`;
  const [reason = ''] = error.message.split('\n', 1);
  // Some end with text of the file, which may be a secret.
  const said = reason.charAt(0).toLowerCase() + reason.slice(1).replace(/(: ".*|[.:])$/, '');
  return `expected YAML, got ${got}: ${printable(said, MAX_REASON)}`;
}

function notJson(text: string): { line: number; message: string } | null {
  const mistake = jsonMistake(text);
  if (mistake === null) return null;
  const { line, found } = foundAt(text, mistake.offset);
  return { line, message: `expected ${mistake.expected}, got ${found}` };
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
