import type { Log } from './log.ts';
import { agentFactory } from './otlp-files.ts';
import type { OtlpSettings } from './settings.ts';

/** Exports that may be under way at once; a stuck collector must not collect batches in memory. */
export const OTLP_CONCURRENCY = 4;

/** Settings of an OTLP exporter over HTTP, as its package takes them. */
export function httpConfig(settings: OtlpSettings, log: Log) {
  return {
    url: settings.url,
    headers: { ...settings.headers },
    timeoutMillis: settings.timeoutMs,
    compression: settings.compression as never, // the enum of a package we do not import
    concurrencyLimit: OTLP_CONCURRENCY,
    httpAgentOptions: agentFactory(settings, log),
  };
}
