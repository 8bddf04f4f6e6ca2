import type { Clock } from '../../telemetry/clock.ts';
import type { Propagation, Recorder } from '../../telemetry/record.ts';
import type { Peer } from '../message/head.ts';
import type { Live, Snapshot } from '../snapshot.ts';

/** What the pipeline knows about the connection a request came on; one per accepted connection. */
export interface Scope {
  readonly live: Live<Snapshot>;
  /** Name of the listener: which table of the snapshot routes its requests. */
  readonly entry: string;
  readonly peer: Peer;
  readonly clock: Clock;
  readonly propagation: Propagation;
  readonly recorder: Recorder;
  readonly requestIds: RequestIds;
}

/** Makes request ids (`x-request-id`) for requests that come without. */
export interface RequestIds {
  next(wallTimeMs: number): string;
}
