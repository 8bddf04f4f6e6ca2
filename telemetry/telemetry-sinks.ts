import type { Metrics } from './metrics.ts';
import { openSink } from './open-sink.ts';
import type { AccessLogOptions } from './options.ts';
import type { OnLost, Sink } from './sink.ts';

/** Where the two logs go; tests put their own in place. */
export interface TelemetrySinks {
  readonly accessLog: Sink;
  readonly log: Sink;
}

/**
 * The access log's file or standard output, and standard error for the process log; every lost line is
 * counted under its signal. Throws when the file cannot be opened.
 */
export function openSinks(options: AccessLogOptions, metrics: Metrics): TelemetrySinks {
  const lost = (signal: string): OnLost => {
    const full = metrics.counter('outrigger_telemetry_dropped_total', signal, 'queue_full');
    const failed = metrics.counter('outrigger_telemetry_dropped_total', signal, 'write_failed');
    return (lines, reason) => (reason === 'queue_full' ? full : failed).add(lines);
  };
  const { filter, path } = options;
  const target = path === '-' || filter === 'none' ? 'stdout' : { path };
  return {
    accessLog: openSink(target, lost('access_log')),
    log: openSink('stderr', lost('logs')),
  };
}
