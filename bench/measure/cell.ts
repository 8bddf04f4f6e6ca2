import type { Backend } from '../backend.ts';
import { type OpenLoopResult, openLoop } from '../load/open-loop.ts';
import { saturate } from '../load/saturation.ts';
import type { RunningSubject } from '../subjects/subject.ts';
import { processUsage, tickUs } from './process-usage.ts';

/** What is asked of every subject in one case. */
export interface Load {
  readonly path: string;
  readonly bodyBytes: number;
  readonly connections: number;
  readonly requestsPerSecond: number;
}

/** One repetition of one subject. */
export interface Cell {
  readonly cpuUsPerRequest: number | null;
  /** How far the clock ticks allow `cpuUsPerRequest` to be off, as a share. */
  readonly tickError: number;
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly rssMiB: number | null;
}

/** A tick is lost at either end of a run, so this many keep the error below 1 %. */
const enoughTicks = 200;

/** A subject that needs less CPU than the ticks resolve is measured longer, up to this many times. */
const mostRuns = 6;

/**
 * Measures one subject once: CPU under saturation, then latency at a fixed rate. Throws when the backend did not see the
 * requests that the load counted or an answer was wrong.
 */
export async function measureCell(
  subject: RunningSubject,
  backend: Backend,
  load: Load,
  seconds: number,
): Promise<Cell> {
  const saturation = await measureSaturation(subject, backend, load, seconds);
  const rssMiB = subject.process === null ? null : processUsage(subject.process.pid).rssMiB;
  const latency = await openLoop({ ...load, port: subject.port, seconds });
  requireAllOk(latency);
  return { ...saturation, p50Us: latency.p50Us, p99Us: latency.p99Us, rssMiB };
}

async function measureSaturation(
  subject: RunningSubject,
  backend: Backend,
  load: Load,
  seconds: number,
): Promise<Pick<Cell, 'cpuUsPerRequest' | 'tickError' | 'requestsPerSecond'>> {
  const servedBefore = await backend.served();
  const ticksBefore = subject.process === null ? 0 : processUsage(subject.process.pid).ticks;
  let requests = 0;
  let ticks = 0;
  const rates: number[] = [];
  while (rates.length < mostRuns && (rates.length === 0 || ticks < enoughTicks)) {
    const run = await saturate({ ...load, port: subject.port, seconds });
    requests += run.requests;
    rates.push(run.requestsPerSecond);
    if (subject.process === null) break;
    ticks = processUsage(subject.process.pid).ticks - ticksBefore;
  }
  const served = (await backend.served()) - servedBefore;
  // At the end of each run wrk hangs up on the requests under way: the backend has seen them, wrk does not count them.
  const cutOff = rates.length * load.connections * 2;
  if (served < requests || served > requests + cutOff) {
    throw new Error(`the load counted ${requests} answers, the backend gave ${served}`);
  }
  const requestsPerSecond = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  if (subject.process === null) return { cpuUsPerRequest: null, tickError: 0, requestsPerSecond };
  return { cpuUsPerRequest: (ticks * tickUs) / requests, tickError: 2 / ticks, requestsPerSecond };
}

function requireAllOk(latency: OpenLoopResult): void {
  for (const [outcome, count] of latency.outcomes) {
    if (outcome !== 'ok') throw new Error(`${count} requests of the fixed-rate run: ${outcome}`);
  }
}
