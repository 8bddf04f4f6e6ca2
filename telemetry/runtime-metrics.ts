import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Clock } from './clock.ts';
import type { Metrics } from './metrics.ts';

const RESOLUTION_MS = 20;
const WINDOW_MS = 10_000;
const NANOS = 1e9;

/**
 * Observes the event loop and the heap; read at collection. The delay covers the last ten seconds or
 * more, so that two readers do not take it from each other. Returns the way to stop.
 */
export function observeRuntime(metrics: Metrics, clock: Clock): () => void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let since = clock.now();
  let latest = { p50: 0, p90: 0, p99: 0, max: 0 };
  const read = (): typeof latest => {
    if (delay.count > 0) {
      // Node measures the whole period of its timer; the delay is what is beyond the resolution.
      const beyond = (nanos: number): number => Math.max(0, nanos / NANOS - RESOLUTION_MS / 1000);
      latest = {
        p50: beyond(delay.percentile(50)),
        p90: beyond(delay.percentile(90)),
        p99: beyond(delay.percentile(99)),
        max: beyond(delay.max),
      };
    }
    if (clock.now() - since >= WINDOW_MS) {
      since = clock.now();
      delay.reset();
    }
    return latest;
  };
  let before = performance.eventLoopUtilization();
  const stops = [
    metrics.observe('nodejs.eventloop.delay.p50', (report) => report([], read().p50)),
    metrics.observe('nodejs.eventloop.delay.p90', (report) => report([], latest.p90)),
    metrics.observe('nodejs.eventloop.delay.p99', (report) => report([], latest.p99)),
    metrics.observe('nodejs.eventloop.delay.max', (report) => report([], latest.max)),
    metrics.observe('nodejs.eventloop.utilization', (report) => {
      const now = performance.eventLoopUtilization();
      report([], performance.eventLoopUtilization(now, before).utilization);
      before = now;
    }),
    metrics.observe('v8js.memory.heap.used', (report) =>
      report([], getHeapStatistics().used_heap_size),
    ),
  ];
  return () => {
    delay.disable();
    for (const stop of stops) stop();
  };
}
