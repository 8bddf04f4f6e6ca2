/** Keys and indexes from the root to a value. */
export type Path = readonly (string | number)[];

/** One mistake in the configuration, with everything needed to correct it. */
export interface ConfigError {
  /** `file`, `file:line` or `env NAME`. */
  readonly source: string;
  /** Dotted, `upstreams[0].port`; empty for the file as a whole. */
  readonly path: string;
  /** `expected …, got …`, lower case, no full stop. */
  readonly message: string;
}

/** One line: `outrigger.yaml:4: inbound.port: expected an integer 1–65535, got 0`. */
export function formatConfigError(error: ConfigError): string {
  return error.path === ''
    ? `${error.source}: ${error.message}`
    : `${error.source}: ${error.path}: ${error.message}`;
}

/** `['upstreams', 0, 'port']` as `upstreams[0].port`. Control characters are made visible. */
export function formatPath(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += `${text === '' ? '' : '.'}${printable(part)}`;
  }
  return text;
}

/** Text from a file on one line of a terminal or log: at most `most` characters, escaped. */
export function printable(text: string, most = 60): string {
  const cut = text.length > most ? `${text.slice(0, most - 3)}…` : text;
  // oxlint-disable-next-line no-control-regex -- control characters are what it escapes
  return cut.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${code}`;
  });
}
