import type { EnvironmentReader } from './environment-reader.ts';
import type { TraceOptions } from './options.ts';
import type { OtlpSettings } from './settings.ts';

const PREFIX = 'OTEL_EXPORTER_OTLP_';
const PATHS = { TRACES: 'v1/traces', METRICS: 'v1/metrics' } as const;

/**
 * One signal's OTLP exporter: per-signal variables before general ones before the file. A general
 * endpoint gets the signal's path, a per-signal one is used as it is.
 */
export function readOtlp(
  reader: EnvironmentReader,
  signal: keyof typeof PATHS,
  file: TraceOptions['otlp'],
): OtlpSettings {
  const name = (suffix: string): string =>
    reader.text(`${PREFIX}${signal}_${suffix}`) === null
      ? `${PREFIX}${suffix}`
      : `${PREFIX}${signal}_${suffix}`;
  const protocol = readProtocol(reader, name('PROTOCOL'), file.protocol);
  return {
    protocol,
    url:
      protocol === 'grpc'
        ? grpcUrl(reader, signal, name('INSECURE'), file.endpoint)
        : httpUrl(reader, signal, file.endpoint),
    headers: {
      ...file.headers,
      ...reader.pairs(`${PREFIX}HEADERS`),
      ...reader.pairs(`${PREFIX}${signal}_HEADERS`),
    },
    timeoutMs: reader.integer(name('TIMEOUT'), file.timeoutMs, 1, 3_600_000),
    compression: reader.choice(name('COMPRESSION'), ['none', 'gzip'], file.compression),
    caFile: reader.text(name('CERTIFICATE')) ?? file.caFile,
    certFile: reader.text(name('CLIENT_CERTIFICATE')) ?? file.certFile,
    keyFile: reader.text(name('CLIENT_KEY')) ?? file.keyFile,
  };
}

function readProtocol(
  reader: EnvironmentReader,
  name: string,
  otherwise: OtlpSettings['protocol'],
): OtlpSettings['protocol'] {
  const protocol = reader.choice(name, ['http/protobuf', 'grpc', 'http/json'], otherwise);
  if (protocol !== 'http/json') return protocol;
  reader.warn(name, 'http/json is not supported; http/protobuf is used');
  return 'http/protobuf';
}

function httpUrl(
  reader: EnvironmentReader,
  signal: keyof typeof PATHS,
  fileEndpoint: string,
): string {
  const own = `${PREFIX}${signal}_ENDPOINT`;
  const specific = reader.text(own);
  if (specific !== null) {
    if (isHttpUrl(specific)) return specific;
    reader.warn(own, 'expected an http:// or https:// URL');
  }
  const general = reader.text(`${PREFIX}ENDPOINT`);
  if (general !== null) {
    if (isHttpUrl(general)) return withPath(general, PATHS[signal]);
    reader.warn(`${PREFIX}ENDPOINT`, 'expected an http:// or https:// URL');
  }
  if (fileEndpoint === '' || !isHttpUrl(fileEndpoint)) {
    return `http://localhost:4318/${PATHS[signal]}`;
  }
  // The file has one endpoint for all signals: a bare authority, or the URL of the traces.
  if (signal === 'TRACES' && new URL(fileEndpoint).pathname !== '/') return fileEndpoint;
  return withPath(new URL(fileEndpoint).origin, PATHS[signal]);
}

function grpcUrl(
  reader: EnvironmentReader,
  signal: keyof typeof PATHS,
  insecureName: string,
  fileEndpoint: string,
): string {
  const insecure = reader.boolean(insecureName, false);
  for (const name of [`${PREFIX}${signal}_ENDPOINT`, `${PREFIX}ENDPOINT`, '']) {
    const endpoint = name === '' ? fileEndpoint : reader.text(name);
    if (endpoint === null || endpoint === '') continue;
    const url = endpoint.includes('://')
      ? endpoint
      : `${insecure ? 'http' : 'https'}://${endpoint}`;
    if (isHttpUrl(url)) return new URL(url).origin;
    if (name !== '') reader.warn(name, 'expected host:port, or an http:// or https:// URL');
  }
  return 'http://localhost:4317';
}

function withPath(base: string, path: string): string {
  return base.endsWith('/') ? `${base}${path}` : `${base}/${path}`;
}

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol } = new URL(text);
  return protocol === 'http:' || protocol === 'https:';
}
