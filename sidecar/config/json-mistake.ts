/** What was expected, and the offset in the text where something else stands. */
export interface JsonMistake {
  readonly expected: string;
  readonly offset: number;
}

/**
 * Where a text stops being JSON (RFC 8259), null when it is JSON. `JSON.parse` alone does not always
 * say where it stopped. Recursive: for texts of bounded depth.
 */
export function jsonMistake(text: string): JsonMistake | null {
  try {
    JSON.parse(text);
    return null;
  } catch {
    return new Scanner(text).firstMistake();
  }
}

const BLANKS = /[ \t\n\r]*/y;
const WORD = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null/y;
// oxlint-disable-next-line no-control-regex -- control characters are what it refuses
const OPEN_STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*/y;

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  firstMistake(): JsonMistake {
    const expected = this.#value() ?? 'the end of the file';
    this.#take(BLANKS);
    return { expected, offset: this.#at };
  }

  /** Each of these goes past what it reads, or stops before the mistake and returns what was expected. */
  #value(): string | null {
    const character = this.#peek();
    if (character === '{') return this.#list('}', () => this.#member());
    if (character === '[') return this.#list(']', () => this.#value());
    if (character === '"') return this.#string();
    return this.#take(WORD) ? null : 'a JSON value';
  }

  #list(end: string, item: () => string | null): string | null {
    this.#at++;
    if (this.#peek() === end) {
      this.#at++;
      return null;
    }
    for (;;) {
      const expected = item();
      if (expected !== null) return expected;
      const next = this.#peek();
      if (next !== end && next !== ',') return `\`,\` or \`${end}\``;
      this.#at++;
      if (next === end) return null;
    }
  }

  #member(): string | null {
    if (this.#peek() !== '"') return 'a key in double quotes';
    const expected = this.#string();
    if (expected !== null) return expected;
    if (this.#peek() !== ':') return '`:`';
    this.#at++;
    return this.#value();
  }

  #string(): string | null {
    this.#take(OPEN_STRING);
    if (this.#text[this.#at] !== '"') return 'a closing `"`, or a character or escape of JSON text';
    this.#at++;
    return null;
  }

  /** The next character that is not blank; undefined at the end. */
  #peek(): string | undefined {
    this.#take(BLANKS);
    return this.#text[this.#at];
  }

  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    const taken = pattern.test(this.#text);
    if (taken) this.#at = pattern.lastIndex;
    return taken;
  }
}
