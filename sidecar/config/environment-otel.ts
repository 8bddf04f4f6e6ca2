import { formatPath, type Path } from './config-error.ts';
import { type EnvironmentValue, numberOrText, readEnvironment, split } from './environment.ts';
import { text } from './fields.ts';
import { collectorAddress } from './schema-telemetry.ts';

interface Variable {
  /** First one that is set wins. */
  readonly names: readonly string[];
  readonly path: Path;
  /** The key's value, or null when the text is no good. */
  readonly read: (text: string) => unknown;
}

const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
];

const variables: readonly Variable[] = [
  variable(['OTEL_SDK_DISABLED'], ['trace', 'enabled'], (text) => text.toLowerCase() !== 'true'),
  variable(['OTEL_SERVICE_NAME'], ['trace', 'serviceName'], asText),
  variable(['OTEL_RESOURCE_ATTRIBUTES'], ['trace', 'resourceAttributes'], pairs),
  variable(['OTEL_PROPAGATORS'], ['trace', 'propagators'], (text) => {
    const names = split(text);
    const known = ['tracecontext', 'baggage', 'b3', 'b3multi', 'none'];
    return names.every((name) => known.includes(name)) ? names : null;
  }),
  variable(['OTEL_TRACES_SAMPLER'], ['trace', 'sampler'], oneOf(samplers)),
  variable(['OTEL_TRACES_SAMPLER_ARG'], ['trace', 'ratio'], numberIn(0, 1)),
  variable(['OTEL_TRACES_EXPORTER'], ['trace', 'exporter'], oneOf(['otlp', 'console', 'none'])),
  variable(otlp('PROTOCOL'), ['trace', 'otlp', 'protocol'], oneOf(['http/protobuf', 'grpc'])),
  variable(otlp('HEADERS'), ['trace', 'otlp', 'headers'], pairs),
  variable(otlp('TIMEOUT'), ['trace', 'otlp', 'timeoutMs'], wholeIn(1, 600_000)),
  variable(otlp('COMPRESSION'), ['trace', 'otlp', 'compression'], oneOf(['none', 'gzip'])),
  variable(otlp('CERTIFICATE'), ['trace', 'otlp', 'caFile'], asText),
  variable(otlp('CLIENT_CERTIFICATE'), ['trace', 'otlp', 'certFile'], asText),
  variable(otlp('CLIENT_KEY'), ['trace', 'otlp', 'keyFile'], asText),
  variable(['OTEL_BSP_SCHEDULE_DELAY'], ['trace', 'batch', 'delayMs'], wholeIn(10, 600_000)),
  variable(['OTEL_BSP_EXPORT_TIMEOUT'], ['trace', 'batch', 'timeoutMs'], wholeIn(1, 600_000)),
  variable(['OTEL_BSP_MAX_QUEUE_SIZE'], ['trace', 'batch', 'maxQueueSize'], wholeIn(1, 1_000_000)),
  variable(
    ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'],
    ['trace', 'batch', 'maxBatchSize'],
    wholeIn(1, 100_000),
  ),
];

/**
 * The values of `OTEL_*`, so that the configuration shows what is in force. One that is no good is left
 * out, as the specification wants; telemetry, which reads them all, is the one that warns about it.
 */
export function readOtelEnvironment(
  environment: NodeJS.ProcessEnv,
  fileProtocol: unknown,
): EnvironmentValue[] {
  const values: EnvironmentValue[] = [];
  for (const { names, path, read } of variables) {
    const name = names.find((candidate) => (environment[candidate] ?? '') !== '');
    if (name === undefined) continue;
    const value = read(environment[name] ?? '');
    if (value !== null) values.push({ name, path, value });
  }
  const protocol = values.find((value) => value.path[2] === 'protocol')?.value ?? fileProtocol;
  const endpoint = readEndpoint(environment, protocol === 'grpc');
  if (endpoint !== null) values.push(endpoint);
  return values;
}

/**
 * The environment without the `OTEL_*` variables whose key has a variable of our own, which wins. For
 * telemetry, which puts every `OTEL_*` variable over the configuration.
 */
export function withoutOverruled(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const ours = new Set(readEnvironment(environment).values.map(({ path }) => formatPath(path)));
  const rest = { ...environment };
  const endpoint = { names: otlp('ENDPOINT'), path: ENDPOINT };
  for (const { names, path } of [...variables, endpoint]) {
    if (ours.has(formatPath(path))) for (const name of names) delete rest[name];
  }
  return rest;
}

const ENDPOINT: Path = ['trace', 'otlp', 'endpoint'];

/** The URL of the signal as it is; the base URL with `v1/traces`, for gRPC as it is. */
function readEndpoint(environment: NodeJS.ProcessEnv, grpc: boolean): EnvironmentValue | null {
  for (const name of otlp('ENDPOINT')) {
    const text = environment[name] ?? '';
    const bare = grpc || name.includes('TRACES');
    const value = bare ? text : `${text.replace(/\/+$/, '')}/v1/traces`;
    if (text !== '' && isCollector(value, grpc)) {
      return { name, path: ENDPOINT, value };
    }
  }
  return null;
}

function isCollector(address: string, grpc: boolean): boolean {
  return collectorAddress.safeParse(address).success && (grpc || address.includes('://'));
}

function variable(names: readonly string[], path: Path, read: (text: string) => unknown): Variable {
  return { names, path, read };
}

function otlp(suffix: string): string[] {
  return [`OTEL_EXPORTER_OTLP_TRACES_${suffix}`, `OTEL_EXPORTER_OTLP_${suffix}`];
}

/** What the schema takes as text; the specification wants the rest ignored. */
function asText(text: string): string | null {
  return isClean(text) ? text : null;
}

function isClean(value: string): boolean {
  return text.safeParse(value).success;
}

function oneOf(values: readonly string[]): (text: string) => string | null {
  return (text) => values.find((value) => value === text.trim().toLowerCase()) ?? null;
}

function numberIn(least: number, most: number): (text: string) => number | null {
  return (text) => {
    const value = numberOrText(text.trim());
    return typeof value === 'number' && value >= least && value <= most ? value : null;
  };
}

function wholeIn(least: number, most: number): (text: string) => number | null {
  const read = numberIn(least, most);
  return (text) => {
    const value = read(text);
    return value === null || Number.isInteger(value) ? value : null;
  };
}

/** `key=value,…` with percent-encoded values (W3C Baggage, as the specification refers to it). */
function pairs(text: string): Record<string, string> | null {
  const entries: [string, string][] = [];
  for (const entry of split(text)) {
    const equals = entry.indexOf('=');
    if (equals < 1) return null;
    try {
      entries.push([
        entry.slice(0, equals).trim(),
        decodeURIComponent(entry.slice(equals + 1).trim()),
      ]);
    } catch {
      return null;
    }
  }
  return entries.every(([key, value]) => isClean(key) && isClean(value))
    ? Object.fromEntries(entries)
    : null;
}
