/** Methods of RFC 9110, RFC 5789 and the QUERY method: what the semantic conventions know by default. */
const KNOWN = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'QUERY',
];

/** Name that stands for a method that is not known, so that callers cannot make up series. */
export const OTHER_METHOD = '_OTHER';

/** The methods that appear by name in spans and metrics, in order; any other is `_OTHER`. */
export class MethodNames {
  readonly #names: readonly string[];
  readonly #indexes = new Map<string, number>();

  /** `known` replaces the default list (`OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS`); at most 32 are used. */
  constructor(known: readonly string[] = KNOWN) {
    this.#names = [OTHER_METHOD, ...known.slice(0, 32)];
    for (let index = 1; index < this.#names.length; index++) {
      this.#indexes.set(this.#names[index] as string, index);
    }
  }

  /** 0 for a method that is not known. Methods are case-sensitive (RFC 9110 §9.1). */
  indexOf(method: string): number {
    return this.#indexes.get(method) ?? 0;
  }

  nameAt(index: number): string {
    return this.#names[index] ?? OTHER_METHOD;
  }
}
