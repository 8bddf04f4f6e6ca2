import type { Clock } from '../../telemetry/clock.ts';
import type { Endpoint } from '../cluster/endpoint.ts';
import type { ClusterLoad } from '../cluster/load.ts';

/** What a choice may depend on; an `Exchange` is one, so that picking allocates nothing. */
export interface PickInput {
  /** Number of the attempt that is chosen for, from 1. */
  readonly attempt: number;
  /** The request has been sent to this endpoint already. */
  tried(endpoint: Endpoint): boolean;
}

/** Chooses now, from the fixed usable set it was built with; replaced as a whole when the set changes. */
export interface Picker {
  /** Null only when the set is empty. Avoids tried endpoints where it can. */
  pick(input: PickInput): Endpoint | null;
}

/** `load` is the cluster's and outlives its pickers. */
export type PickerFactory = (
  usable: readonly Endpoint[],
  load: ClusterLoad,
  clock: Clock,
) => Picker;
