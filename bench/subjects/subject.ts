import type { ServerProcess } from './server-process.ts';

export type SubjectName = 'outrigger' | 'haproxy' | 'nginx' | 'envoy' | 'direct';

/** Where a subject finds its upstream and puts its files. */
export interface Setup {
  readonly backendPort: number;
  readonly otlpPort: number;
  /** A folder of its own, removed by the caller after the stop. */
  readonly folder: string;
  readonly accessLog: boolean;
}

/** One proxy of the comparison. `start` answers null when it is not installed. */
export interface Subject {
  readonly name: SubjectName;
  start(setup: Setup): Promise<RunningSubject | null>;
}

/** A proxy that serves. `process` is null for the row without a proxy. */
export interface RunningSubject {
  readonly port: number;
  readonly process: ServerProcess | null;
}
