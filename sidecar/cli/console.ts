/** Where a command writes and what it may assume about the reader; tests give their own. */
export interface Console {
  out(text: string): void;
  err(text: string): void;
  /** A person reads: tables. Else one JSON value per line. */
  readonly table: boolean;
  readonly color: boolean;
}

/** The options that every command has. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly color?: boolean;
}

/** The console of this process: tables on a terminal unless JSON is asked for, colours unless unwanted. */
export function processConsole(options: CommonOptions): Console {
  const terminal = process.stdout.isTTY === true;
  const wanted = options.color !== false && (process.env['NO_COLOR'] ?? '') === '';
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    table: terminal && options.json !== true,
    color: terminal && wanted && options.json !== true,
  };
}
