import type { TelemetryOptions } from '../telemetry/options.ts';
import { version } from './cli/version.ts';
import type { Config } from './config/schema.ts';
import type { FailureCode } from './failure.ts';
import { catalogue } from './failure-catalogue.ts';
import { instanceId } from './registry.ts';

/** What telemetry is told of the configuration; the environment wins over it. */
export function telemetryOptions(config: Config): TelemetryOptions {
  const { service, inbound, trace, metrics, accessLog, log } = config;
  return {
    service: {
      name: service.name,
      id: instanceId(service, inbound.port),
      zone: service.zone,
      region: service.region,
    },
    release: version(),
    trace,
    metrics,
    accessLog,
    log,
    explain: (code) => (isCode(code) ? catalogue[code] : null),
  };
}

function isCode(code: string): code is FailureCode {
  return Object.hasOwn(catalogue, code);
}
