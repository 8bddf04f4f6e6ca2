import { leastRequest } from './least-request.ts';
import type { PickerFactory } from './picker.ts';
import { random } from './random.ts';
import { roundRobin } from './round-robin.ts';

/** Settings of all policies; each reads its own. */
export interface PolicyOptions {
  /** `least_request`: endpoints compared per choice. */
  readonly choiceCount: number;
  /** `least_request` with unequal weights: exponent of the requests in flight. */
  readonly activeRequestBias: number;
}

export type PolicyName = keyof typeof policies;

/**
 * Every balancing policy by its name in the configuration. A new one is a file and a line here; the
 * picker contract runs over this table.
 */
export const policies = {
  least_request: leastRequest,
  round_robin: () => roundRobin,
  random: () => random,
} as const satisfies Record<string, (options: PolicyOptions) => PickerFactory>;
