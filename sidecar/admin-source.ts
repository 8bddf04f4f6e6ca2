import type { Telemetry } from '../telemetry/telemetry.ts';
import type { AdminSource } from './admin/source.ts';
import { maskSecrets } from './config/mask.ts';
import type { Reloader } from './config/reload.ts';
import type { Ending } from './ending.ts';
import type { Sidecar } from './sidecar.ts';

/** What the admin API shows of the running parts, and what it can ask of them. */
export function adminSource(
  sidecar: Sidecar,
  reloader: Reloader,
  telemetry: Telemetry,
  ending: Ending,
): AdminSource {
  return {
    ready: () => sidecar.ready(),
    clusters: () => sidecar.view(),
    config: () => {
      const { config, file, sources } = sidecar.loaded;
      return {
        generation: sidecar.generation,
        file,
        loadedAt: sidecar.loadedAt,
        rejected: reloader.rejected,
        config: maskSecrets(config),
        sources: sources.list(config),
      };
    },
    traces: (limit, traceId) => ({
      spans:
        traceId === null
          ? telemetry.recentSpans(limit)
          : telemetry
              .recentSpans(ALL_SPANS)
              .filter((span) => span.traceId === traceId)
              .slice(0, limit),
    }),
    metricsText: () => telemetry.metricsText(),
    drain: () => void sidecar.drain(),
    quit: () => ending.begin(0),
  };
}

/** More than are ever kept. */
const ALL_SPANS = 100_000;
