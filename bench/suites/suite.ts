import type { Row } from '../row.ts';

export interface SuiteOptions {
  /** Length of one saturation run and of one fixed-rate run. */
  readonly seconds: number;
  readonly rounds: number;
  /** Part of the names of the cases to measure; empty for all of them. */
  readonly only: string;
  /** Takes lines of progress and of results. */
  readonly print: (line: string) => void;
}

/** What a suite measured, and in a sentence each the cases whose runs were not valid and are left out. */
export interface SuiteResult {
  readonly rows: readonly Row[];
  readonly invalid: readonly string[];
}

/** A group of measurements under one name. */
export type Suite = (options: SuiteOptions) => Promise<SuiteResult>;
