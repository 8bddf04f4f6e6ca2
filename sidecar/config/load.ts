import { checkConfig, doubts, type Locate } from './check.ts';
import { type ConfigError, formatPath, type Path } from './config-error.ts';
import { type ConfigDocument, parseDocument, valueAt } from './document.ts';
import { type EnvironmentValue, environmentKeys, readEnvironment } from './environment.ts';
import { readConsulEnvironment } from './environment-consul.ts';
import { readOtelEnvironment } from './environment-otel.ts';
import { description } from './expectation.ts';
import { explained, explainIssues, type Mistake } from './explain-issues.ts';
import { configJsonSchema } from './json-schema.ts';
import { suggestion } from './nearest.ts';
import { prune } from './prune.ts';
import { readConfigFile } from './read-file.ts';
import { resolveConfig } from './resolve.ts';
import { type Config, configSchema } from './schema.ts';
import { Sources } from './sources.ts';

/** A configuration and where it came from. */
export interface Loaded {
  readonly config: Config;
  /** Path as given; null when there is no file. */
  readonly file: string | null;
  readonly sources: Sources;
  /** What is odd and may be meant, one sentence each. What `OTEL_*` says is not looked at here. */
  readonly warnings: readonly string[];
}

export type LoadResult =
  | { readonly ok: true; readonly loaded: Loaded }
  | { readonly ok: false; readonly errors: readonly ConfigError[] };

/**
 * Reads a file and the environment into a configuration: environment over file over default. All
 * mistakes come back at once, as values; nothing is thrown for anything that a user can write.
 */
export async function loadConfig(
  file: string | null,
  environment: NodeJS.ProcessEnv,
): Promise<LoadResult> {
  if (file === null) return interpret(null, null, [], environment);
  const read = await readConfigFile(file);
  if (!read.ok) return { ok: false, errors: [{ source: file, path: '', message: read.problem }] };
  const parsed = parseDocument(read.text, file.toLowerCase().endsWith('.json'));
  const { document } = parsed;
  const told = parsed.mistakes.map(
    (mistake): Placed => ({
      line: mistake.line,
      error: explained(mistake, `${file}:${mistake.line}`),
    }),
  );
  if (document === null) return { ok: false, errors: inOrder(told) };
  const root = document.value ?? {};
  if (typeof root !== 'object' || Array.isArray(root)) {
    const line = document.lineOf([]);
    const message = `expected a mapping of sections, got ${description(root, false)}`;
    told.push({ line, error: { source: `${file}:${line}`, path: '', message } });
    return { ok: false, errors: inOrder(told) };
  }
  return interpret(file, document, told, environment);
}

/** A mistake ready to be shown, and its line: 0 when it is not in the file. */
interface Placed {
  readonly line: number;
  readonly error: ConfigError;
}

function interpret(
  file: string | null,
  document: ConfigDocument | null,
  told: readonly Placed[],
  environment: NodeJS.ProcessEnv,
): LoadResult {
  const root: object = document?.value ?? {};
  const own = readEnvironment(environment);
  const otel = readOtelEnvironment(environment, valueAt(root, ['trace', 'otlp', 'protocol']));
  const consul = readConsulEnvironment(environment);
  // The most particular comes last and wins.
  const values = [...consul.values, ...otel, ...own.values];
  const value = overlay(root, values);
  const sources = new Sources(file, document, values);
  const unknown = own.unknown.map(
    (name) =>
      `${name} is ignored: no key is called so${suggestion(name, [...environmentKeys().keys()])}`,
  );

  const { config, mistakes } = validate(value, sources);
  mistakes.push(...tokenMistakes(root));
  const outside = consul.mistakes.map((error): Placed => ({ line: 0, error }));
  const errors = inOrder([...outside, ...told, ...placed(mistakes, sources)]);
  if (errors.length > 0 || config === null) return { ok: false, errors };
  const warnings = [...unknown, ...doubts(config, locateIn(sources))];
  return { ok: true, loaded: { config, file, sources, warnings } };
}

/** What contradicts itself in a configuration that was put together from two, as a reload does. */
export function contradictions(config: Config, sources: Sources): ConfigError[] {
  return inOrder(placed(checkConfig(config, locateIn(sources)), sources));
}

function placed(mistakes: readonly Mistake[], sources: Sources): Placed[] {
  return mistakes.map((mistake) => ({
    line: sources.lineOf(mistake.path),
    error: explained(mistake, sources.place(mistake.path)),
  }));
}

function inOrder(mistakes: readonly Placed[]): ConfigError[] {
  return mistakes.toSorted((a, b) => a.line - b.line).map(({ error }) => error);
}

/** A schema that is used once is not worth compiling: 20 ms of a start. */
const ONCE = { jitless: true } as const;

/**
 * Keys are checked against the schema first, then against each other. So that both kinds of mistake
 * are told at once, the second check runs on what is left without the first kind; what it says about
 * the surroundings of a wrong key is kept back.
 */
function validate(
  value: unknown,
  sources: Sources,
): { config: Config | null; mistakes: Mistake[] } {
  const locate = locateIn(sources);
  const parsed = configSchema.safeParse(value, ONCE);
  if (parsed.success) {
    const config = resolveConfig(parsed.data);
    return { config, mistakes: checkConfig(config, locate) };
  }
  const mistakes = explainIssues(parsed.error.issues, value, configJsonSchema());
  const paths = mistakes.map((mistake) => mistake.path);
  const rest = configSchema.safeParse(prune(value, paths), ONCE);
  if (rest.success) {
    const wrong = mistakes.map((mistake) => formatPath(mistake.path.slice(0, -1)));
    const further = checkConfig(resolveConfig(rest.data), locate).filter(
      (mistake) => !wrong.some((path) => concerns(mistake.path, path)),
    );
    mistakes.push(...further);
  }
  return { config: null, mistakes };
}

function locateIn(sources: Sources): Locate {
  return (path) => (sources.of(path) === 'default' ? 'by default' : sources.place(path));
}

/** Whether a mistake may only follow from a wrong key in the mapping at `around`. */
function concerns(path: Path, around: string): boolean {
  if (around === '') return path.length === 1;
  const text = formatPath(path);
  return text.startsWith(around) || around.startsWith(formatPath(path.slice(0, -1)));
}

/** The file with the values of the environment in place. Neither is changed. */
function overlay(root: object, values: readonly EnvironmentValue[]): unknown {
  const result = structuredClone(root) as Record<string, unknown>;
  for (const { path, value } of values) {
    let current = result;
    for (const part of path.slice(0, -1)) {
      const next = current[part];
      // Something else than a mapping in the file is a mistake of the file, and stays one.
      if (next !== undefined && (typeof next !== 'object' || next === null)) break;
      current = (current[part] ??= {}) as Record<string, unknown>;
    }
    const last = path.at(-1);
    if (last !== undefined) current[last] = value;
    // One of the two says who we are; the environment's takes the place of the file's.
    if (last === 'token') delete current['tokenFile'];
    if (last === 'tokenFile' && !values.some((other) => other.path.at(-1) === 'token')) {
      delete current['token'];
    }
  }
  return result;
}

function tokenMistakes(root: object): Mistake[] {
  const token = valueAt(root, ['consul', 'token']);
  const file = valueAt(root, ['consul', 'tokenFile']);
  if (typeof token !== 'string' || typeof file !== 'string' || token === '' || file === '')
    return [];
  return [
    { path: ['consul', 'tokenFile'], message: 'expected either `token` or `tokenFile`, got both' },
  ];
}
