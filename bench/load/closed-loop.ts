import { RequestConnection } from './request-connection.ts';
import type { SaturationLoad, SaturationResult } from './saturation-load.ts';

/**
 * Keeps every connection busy from this process: each sends again as soon as its answer is complete. Ends with no request
 * under way, so every one is counted. Throws at the first answer that is not right.
 */
export async function closedLoop(load: SaturationLoad): Promise<SaturationResult> {
  const startedAt = performance.now();
  const until = startedAt + load.seconds * 1000;
  const counts = await Promise.all(
    Array.from({ length: load.connections }, () => keepBusy(load, until)),
  );
  const requests = counts.reduce((sum, count) => sum + count, 0);
  return { requests, requestsPerSecond: (requests * 1000) / (performance.now() - startedAt) };
}

function keepBusy(load: SaturationLoad, until: number): Promise<number> {
  const connection = new RequestConnection(load.port, load.path, load.bodyBytes);
  let requests = 0;
  return new Promise<number>((done, fail) => {
    const next = (): void =>
      connection.send((outcome) => {
        if (outcome !== 'ok') {
          fail(new Error(`request ${requests + 1} of a connection: ${outcome}`));
          return;
        }
        requests++;
        if (performance.now() < until) next();
        else done(requests);
      });
    next();
  }).finally(() => connection.close());
}
