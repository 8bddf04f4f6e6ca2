import type { Path } from './config-error.ts';
import { type EnvironmentValue, numberOrText, split } from './environment.ts';
import { text } from './fields.ts';

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
 * The values of `OTEL_*`. A value that is no good is ignored with a warning, never a mistake: the
 * specification asks for that, and one environment may serve several programs.
 */
export function readOtelEnvironment(
  environment: NodeJS.ProcessEnv,
  fileProtocol: unknown,
): { values: EnvironmentValue[]; warnings: string[] } {
  const values: EnvironmentValue[] = [];
  const warnings: string[] = [];
  for (const { names, path, read } of variables) {
    const name = names.find((candidate) => (environment[candidate] ?? '') !== '');
    if (name === undefined) continue;
    const value = read(environment[name] ?? '');
    if (value === null) warnings.push(`${name} is ignored: its value is not supported`);
    else values.push({ name, path, value });
  }
  const protocol = values.find((value) => value.path[2] === 'protocol')?.value ?? fileProtocol;
  const endpoint = readEndpoint(environment, protocol === 'grpc');
  if (
    endpoint !== null &&
    isClean(String(endpoint.value)) &&
    !String(endpoint.value).includes('@')
  ) {
    values.push(endpoint);
  } else if (endpoint !== null) {
    warnings.push(`${endpoint.name} is ignored: expected a URL without credentials`);
  }
  for (const name of Object.keys(environment).toSorted()) {
    if (/^OTEL_EXPORTER_(ZIPKIN|JAEGER)_/.test(name)) {
      warnings.push(`${name} is ignored: use OTEL_EXPORTER_OTLP_ENDPOINT with port 4317 or 4318`);
    }
  }
  return { values, warnings };
}

/** The URL of the signal as it is; the base URL with `v1/traces`, for gRPC as it is. */
function readEndpoint(environment: NodeJS.ProcessEnv, grpc: boolean): EnvironmentValue | null {
  const path: Path = ['trace', 'otlp', 'endpoint'];
  const own = environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? '';
  if (own !== '') return { name: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', path, value: own };
  const base = environment['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '';
  if (base === '') return null;
  const value = grpc ? base : `${base.replace(/\/+$/, '')}/v1/traces`;
  return { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', path, value };
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
