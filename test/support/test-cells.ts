import type { Clock } from '../../telemetry/clock.ts';
import { MethodNames } from '../../telemetry/method-names.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import type { RequestCells } from '../../telemetry/request-cells.ts';

/** Real cells of a registry of their own. */
export function testCells(
  direction: 'inbound' | 'outbound',
  service: string,
  clock: Clock,
): RequestCells {
  const metrics = new Metrics(clock, new MethodNames(), { maxSeries: 100, idleSeriesMs: 900_000 });
  return metrics.requestCells({
    direction,
    service,
    serverAddress: service,
    serverPort: 80,
    template: null,
    scheme: 'http',
  });
}
