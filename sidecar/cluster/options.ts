import type { PolicyName, PolicyOptions } from '../balancer/policies.ts';
import type { RetryBudgetOptions } from '../retry/budget.ts';
import type { EjectorOptions } from './ejector.ts';
import type { ZoneRule } from './locality.ts';

/** All policies of one cluster. Meaning, bounds and defaults of each key are in `config/schema.ts`. */
export interface ClusterOptions {
  readonly name: string;
  /** Our own zone; empty when unknown, which means `ignore`. */
  readonly zone: string;
  readonly balancing: BalancingOptions;
  /** Null: nothing is ever ejected, which is right for the local application. */
  readonly outliers: EjectorOptions | null;
  readonly limits: { readonly maxRequests: number };
  readonly retries: RetryBudgetOptions;
}

export interface BalancingOptions extends PolicyOptions {
  readonly policy: PolicyName;
  readonly zone: ZoneRule;
  /** Usable endpoints below which `proportional` ignores zones; `prefer` has no minimum. */
  readonly minClusterSize: number;
  /** Share of usable members below which health is ignored, 0–1; 0 turns that off. */
  readonly panicThreshold: number;
  readonly slowStart: {
    /** 0: off. */
    readonly windowMs: number;
    /** 1 grows linearly; above 1 rises faster at first. */
    readonly aggression: number;
  };
}
