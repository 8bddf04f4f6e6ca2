import { quantile } from '../measure/quantile.ts';
import { type Outcome, RequestConnection } from './request-connection.ts';

export interface OpenLoopLoad {
  readonly port: number;
  readonly path: string;
  readonly bodyBytes: number;
  readonly connections: number;
  readonly requestsPerSecond: number;
  readonly seconds: number;
}

/** Microseconds from the moment a request was due to its last byte; the count of each way it ended. */
export interface OpenLoopResult {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly outcomes: ReadonlyMap<Outcome, number>;
}

/**
 * Sends at a fixed rate whatever the answers do, and measures from the time at which a request was due, so that a stall
 * counts for every request it held up (no coordinated omission). Requests beyond the free connections wait their turn.
 * Spins instead of sleeping: a timer's millisecond would be larger than what is measured.
 */
export async function openLoop(load: OpenLoopLoad): Promise<OpenLoopResult> {
  const connections = Array.from(
    { length: load.connections },
    () => new RequestConnection(load.port, load.path, load.bodyBytes),
  );
  const total = Math.round(load.requestsPerSecond * load.seconds);
  const latenciesUs = new Float64Array(total);
  const outcomes = new Map<Outcome, number>();
  try {
    await Promise.all(connections.map(warmUp));
    await send(connections, load.requestsPerSecond, latenciesUs, outcomes);
  } finally {
    for (const connection of connections) connection.close();
  }
  latenciesUs.sort();
  return { p50Us: quantile(latenciesUs, 0.5), p99Us: quantile(latenciesUs, 0.99), outcomes };
}

/** Opens the connection before it is measured. */
function warmUp(connection: RequestConnection): Promise<void> {
  return new Promise((done) => connection.send(() => done()));
}

function send(
  connections: readonly RequestConnection[],
  requestsPerSecond: number,
  latenciesUs: Float64Array,
  outcomes: Map<Outcome, number>,
): Promise<void> {
  // In turn, so that all of them are in use, as with many downstream connections.
  const idle = [...connections];
  const intervalMs = 1000 / requestsPerSecond;
  const startedAt = performance.now();
  let next = 0;
  let completed = 0;
  return new Promise((done) => {
    const turn = (): void => {
      const now = performance.now();
      while (next < latenciesUs.length && startedAt + next * intervalMs <= now) {
        const connection = idle.shift();
        if (connection === undefined) break;
        dispatch(connection, next++);
      }
      if (completed === latenciesUs.length) done();
      else setImmediate(turn);
    };
    const dispatch = (connection: RequestConnection, index: number): void => {
      const dueAt = startedAt + index * intervalMs;
      connection.send((outcome) => {
        latenciesUs[index] = (performance.now() - dueAt) * 1000;
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        completed++;
        idle.push(connection);
      });
    };
    turn();
  });
}
