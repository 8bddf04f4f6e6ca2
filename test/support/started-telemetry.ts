import type { Environment } from '../../telemetry/environment-reader.ts';
import { systemClock } from '../../telemetry/system-clock.ts';
import { createTelemetry, type Telemetry } from '../../telemetry/telemetry.ts';
import { MemorySink, telemetryOptions } from './telemetry-options.ts';

/** Telemetry on the real clock, with its logs in memory. */
export interface StartedTelemetry {
  readonly telemetry: Telemetry;
  readonly log: MemorySink;
  readonly accessLog: MemorySink;
  /** Value of one series in the Prometheus text; 0 when it is not there. */
  readonly metric: (series: string) => Promise<number>;
}

/** Creates and starts it; the test shuts it down. */
export async function startTelemetry(
  environment: Environment,
  over: Parameters<typeof telemetryOptions>[0] = {},
): Promise<StartedTelemetry> {
  const log = new MemorySink();
  const accessLog = new MemorySink();
  const telemetry = createTelemetry(
    telemetryOptions(over),
    // The default port belongs to whoever runs the tests.
    { OTEL_EXPORTER_PROMETHEUS_PORT: '0', ...environment },
    systemClock,
    { log, accessLog },
  );
  await telemetry.start();
  return {
    telemetry,
    log,
    accessLog,
    async metric(series) {
      const scope = 'otel_scope_name="outrigger",otel_scope_version="1.2.3"';
      const wanted = series.replace('}', series.includes('{}') ? `${scope}}` : `,${scope}}`);
      const lines = (await telemetry.metricsText()).split('\n');
      const line = lines.find((candidate) => candidate.startsWith(`${wanted} `));
      return line === undefined ? 0 : Number(line.slice(wanted.length + 1));
    },
  };
}
