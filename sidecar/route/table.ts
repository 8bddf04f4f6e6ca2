import type { RequestHead } from '../message/head.ts';
import { hostOf } from './host.ts';
import { matchesPrefix } from './path-prefix.ts';
import type { Route } from './route.ts';

/** One line of a route table: all conditions given must hold. */
export interface RouteRule {
  /** Exact name, `*.suffix`, or null for any; lower case, without port. */
  readonly host: string | null;
  /** Whole segments: `/pay` matches `/pay`, `/pay/x` and `/pay?x`, not `/payments`. Null for any. */
  readonly path: string | null;
  readonly headers: readonly HeaderCondition[];
  readonly route: Route;
}

export interface HeaderCondition {
  /** Lower case. */
  readonly name: string;
  readonly kind: 'exact' | 'prefix' | 'present';
  /** Compared byte for byte; unused for `present`. */
  readonly value: string;
}

/**
 * Host, then path prefix, then header → route, compiled once from a list of rules. The most specific
 * host is asked first (exact, then the longest suffix, then any); within one host the first rule that
 * matches wins, and a host without a matching rule hands on to the less specific ones.
 */
export class RouteTable {
  readonly rules: readonly RouteRule[];
  readonly #exact = new Map<string, RouteRule[]>();
  /** Longest suffix first; each with its leading dot. */
  readonly #suffixes: { suffix: string; rules: RouteRule[] }[] = [];
  readonly #any: RouteRule[] = [];
  /** The only route there is, when it has no conditions: most tables of a sidecar. */
  readonly #only: Route | null;
  /** Answers hosts that no rule names, such as services called without being declared. */
  readonly #undeclared: ((host: string) => Route | null) | null;

  constructor(
    rules: readonly RouteRule[],
    undeclared: ((host: string) => Route | null) | null = null,
  ) {
    this.rules = rules;
    this.#undeclared = undeclared;
    for (const rule of rules) this.#bucketOf(rule.host).push(rule);
    this.#suffixes.sort((a, b) => b.suffix.length - a.suffix.length);
    const first = rules[0];
    this.#only =
      rules.length === 1 && first !== undefined && isCatchAll(first) && undeclared === null
        ? first.route
        : null;
  }

  match(head: RequestHead): Route | null {
    if (this.#only !== null) return this.#only;
    const host = hostOf(head.authority);
    const exact = this.#exact.get(host);
    if (exact !== undefined) {
      const route = firstMatch(exact, head);
      if (route !== null) return route;
    }
    for (const { suffix, rules } of this.#suffixes) {
      if (!host.endsWith(suffix)) continue;
      const route = firstMatch(rules, head);
      if (route !== null) return route;
    }
    return (
      firstMatch(this.#any, head) ?? (this.#undeclared === null ? null : this.#undeclared(host))
    );
  }

  #bucketOf(host: string | null): RouteRule[] {
    if (host === null || host === '*') return this.#any;
    if (host.startsWith('*.')) {
      const suffix = host.slice(1);
      let bucket = this.#suffixes.find((candidate) => candidate.suffix === suffix);
      if (bucket === undefined) {
        bucket = { suffix, rules: [] };
        this.#suffixes.push(bucket);
      }
      return bucket.rules;
    }
    let bucket = this.#exact.get(host);
    if (bucket === undefined) {
      bucket = [];
      this.#exact.set(host, bucket);
    }
    return bucket;
  }
}

function isCatchAll(rule: RouteRule): boolean {
  return (
    (rule.host === null || rule.host === '*') && rule.path === null && rule.headers.length === 0
  );
}

function firstMatch(rules: readonly RouteRule[], head: RequestHead): Route | null {
  for (const rule of rules) {
    if (rule.path !== null && !matchesPrefix(head.path, rule.path)) continue;
    if (rule.headers.every((condition) => holds(condition, head))) return rule.route;
  }
  return null;
}

function holds(condition: HeaderCondition, head: RequestHead): boolean {
  const value = head.headers.get(condition.name);
  if (value === null) return false;
  switch (condition.kind) {
    case 'present':
      return true;
    case 'exact':
      return value === condition.value;
    case 'prefix':
      return value.startsWith(condition.value);
  }
}
