import { isAlias, isMap, isScalar, isSeq, type LineCounter, type Node, type YAMLMap } from 'yaml';
import type { Path } from './config-error.ts';

/** A mistake of the file as a file, found before any key is looked up in the schema. */
export interface DocumentMistake {
  /** From 1. */
  readonly line: number;
  readonly path: Path;
  readonly message: string;
}

/** Parts of the file that aliases may repeat: generous for anchors, far from what an alias bomb needs. */
const MAX_REPEATED = 10_000;

/** Keys that reach an object's prototype in careless code. */
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

interface Anchored {
  readonly value: unknown;
  /** How many parts it is made of, what its own aliases repeat included. */
  readonly size: number;
}

/**
 * Turns the nodes of a YAML document into plain data and goes on after a mistake: of a key given twice
 * the first value counts, a forbidden key is left out. What an alias repeats is a copy.
 */
export class NodeReader {
  readonly mistakes: DocumentMistake[] = [];
  readonly #lines: LineCounter;
  /** Null while the part itself is being read: an alias inside it would never end. */
  readonly #anchors = new Map<string, Anchored | null>();
  #size = 0;
  #repeated = 0;

  constructor(lines: LineCounter) {
    this.#lines = lines;
  }

  /** Whether aliases repeat more than anybody writes; what was read is then incomplete. */
  get tooMuch(): boolean {
    return this.#repeated > MAX_REPEATED;
  }

  read(node: unknown, path: Path = []): unknown {
    if (isAlias(node)) return this.#repeat(node.source, node, path);
    if (!isMap(node) && !isSeq(node) && !isScalar(node)) return null;
    const { anchor } = node;
    const before = this.#size++;
    if (anchor !== undefined) this.#anchors.set(anchor, null);
    const value = isMap(node)
      ? this.#readMap(node, path)
      : isSeq(node)
        ? node.items.map((item, index) => this.read(item, [...path, index]))
        : node.value;
    if (anchor !== undefined) this.#anchors.set(anchor, { value, size: this.#size - before });
    return value;
  }

  #readMap(map: YAMLMap, path: Path): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    const seen = new Set<string>();
    for (const { key: node, value: inner } of map.items) {
      const key = isScalar(node) ? this.read(node) : null;
      // The parser has told about keys of other kinds.
      if (typeof key !== 'string') continue;
      const inside = [...path, key];
      const value = this.read(inner, inside);
      if (FORBIDDEN.has(key)) this.#say(node, inside, 'this key is never allowed');
      else if (seen.has(key)) this.#say(node, inside, 'expected a key once, got it twice');
      else if (value !== undefined) result[key] = value;
      seen.add(key);
    }
    return result;
  }

  #repeat(anchor: string, node: Node, path: Path): unknown {
    if (this.tooMuch) return undefined;
    const found = this.#anchors.get(anchor);
    if (found === undefined || found === null) {
      const got = found === null ? 'one inside it' : 'none';
      this.#say(node, path, `expected the anchor \`&${anchor}\` before its alias, got ${got}`);
      return undefined;
    }
    this.#size += found.size;
    this.#repeated += found.size;
    if (!this.tooMuch) return structuredClone(found.value);
    const message = `expected aliases that repeat at most ${MAX_REPEATED} parts, got more`;
    this.#say(node, path, message);
    return undefined;
  }

  #say(node: unknown, path: Path, message: string): void {
    const offset = (node as Node).range?.[0] ?? 0;
    this.mistakes.push({ line: this.#lines.linePos(offset).line, path, message });
  }
}
