/** What keeps a subject busy. */
export interface SaturationLoad {
  readonly port: number;
  readonly path: string;
  readonly bodyBytes: number;
  readonly connections: number;
  readonly seconds: number;
}

/** What was done, with every answer right. */
export interface SaturationResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
}
