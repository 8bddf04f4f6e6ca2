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

/** A group of measurements under one name. Resolves to what it measured; throws when a run was not valid. */
export type Suite = (options: SuiteOptions) => Promise<readonly Row[]>;
