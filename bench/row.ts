import type { SubjectName } from './subjects/subject.ts';

/**
 * One line of a result file: medians over the rounds. Null where a figure has no meaning, such as the CPU of no proxy.
 * Requests per second are those of the saturation run, latencies those of the fixed-rate run.
 */
export interface Row {
  readonly case: string;
  readonly subject: SubjectName;
  readonly cpuUsPerRequest: number | null;
  readonly requestsPerSecond: number | null;
  readonly p50Us: number | null;
  readonly p99Us: number | null;
  readonly rssMiB: number | null;
}
