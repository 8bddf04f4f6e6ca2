/** The process environment, or what a test puts in its place. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads variables by the rules of the OpenTelemetry specification: empty means unset, a value that
 * makes no sense is warned about once and ignored, keywords are compared without case.
 */
export class EnvironmentReader {
  readonly #environment: Environment;
  readonly #warnings = new Map<string, string>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** One sentence per variable that was ignored. */
  get warnings(): readonly string[] {
    return [...this.#warnings.values()];
  }

  warn(name: string, message: string): void {
    if (!this.#warnings.has(name)) this.#warnings.set(name, `${name}: ${message}`);
  }

  /** Names of the variables that are set and begin with `prefix`. */
  namesWith(prefix: string): readonly string[] {
    return Object.keys(this.#environment).filter(
      (name) => name.startsWith(prefix) && this.text(name) !== null,
    );
  }

  text(name: string): string | null {
    const value = this.#environment[name]?.trim();
    return value === undefined || value === '' ? null : value;
  }

  /** The first of these variables that is set. */
  firstText(...names: readonly string[]): string | null {
    for (const name of names) {
      const value = this.text(name);
      if (value !== null) return value;
    }
    return null;
  }

  /** True only for `true` in any case, as the specification demands. */
  boolean(name: string, otherwise: boolean): boolean {
    const value = this.text(name)?.toLowerCase();
    if (value === undefined) return otherwise;
    if (value !== 'true' && value !== 'false') {
      this.warn(name, `expected true or false, got ${quote(value)}; taken as false`);
    }
    return value === 'true';
  }

  /** A decimal integer. */
  integer(name: string, otherwise: number, least: number, most: number): number {
    const value = this.text(name);
    if (value === null) return otherwise;
    const number = /^[0-9]{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= least && number <= most) return number;
    this.warn(name, `expected ${least}–${most}, got ${quote(value)}`);
    return otherwise;
  }

  choice<T extends string>(name: string, choices: readonly T[], otherwise: T): T {
    const value = this.text(name);
    if (value === null) return otherwise;
    const known = choices.find((choice) => choice === value.toLowerCase());
    if (known !== undefined) return known;
    this.warn(name, `expected one of ${choices.join(', ')}, got ${quote(value)}`);
    return otherwise;
  }

  /** A comma-separated list of keywords; unknown ones are left out, null when unset or nothing is left. */
  choices<T extends string>(name: string, choices: readonly T[]): readonly T[] | null {
    const value = this.text(name);
    if (value === null) return null;
    const list: T[] = [];
    for (const item of splitList(value)) {
      const known = choices.find((choice) => choice === item.toLowerCase());
      if (known === undefined) {
        this.warn(name, `expected a list of ${choices.join(', ')}, got ${quote(item)}`);
      } else if (!list.includes(known)) list.push(known);
    }
    return list.length === 0 ? null : list;
  }

  /** `key=value` pairs, comma-separated, values percent-encoded (W3C Baggage syntax). */
  pairs(name: string): Record<string, string> {
    const pairs: Record<string, string> = Object.create(null);
    for (const item of splitList(this.text(name) ?? '')) {
      const equals = item.indexOf('=');
      const key = equals < 1 ? '' : decode(item.slice(0, equals).trim());
      const value = equals < 1 ? null : decode(item.slice(equals + 1).trim());
      // The value may be a secret: it is not repeated in the warning.
      if (key === null || key === '' || value === null) {
        this.warn(name, 'expected key=value pairs, percent-encoded; a malformed one is left out');
      } else pairs[key] = value;
    }
    return pairs;
  }
}

function splitList(value: string): readonly string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** Quoted for a message: one line, bounded. */
function quote(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}
