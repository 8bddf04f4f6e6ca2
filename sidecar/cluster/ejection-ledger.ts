/** What noticed the outlier. */
export type Detector =
  | 'refused'
  | 'consecutive_local_origin'
  | 'consecutive_gateway'
  | 'consecutive_5xx'
  | 'trial';

/**
 * What came of it. `capped`: too many are out already, or too many peers fail as well. `would_eject`:
 * the configured share is 0, so detectors only watch.
 */
export type EjectionOutcome = 'ejected' | 'capped' | 'would_eject';

export interface LedgerEntry {
  /** Epoch milliseconds. */
  readonly at: number;
  /** `address:port`. */
  readonly endpoint: string;
  readonly detector: Detector;
  readonly outcome: EjectionOutcome;
  /** Failures in a row that led to it. */
  readonly consecutive: number;
  /** Of the endpoint, since the start. */
  readonly attempts: number;
  readonly failures: number;
  /** Epoch milliseconds until when it gets no traffic; 0 when it stays. */
  readonly until: number;
}

const KEPT = 64;

/** The last decisions of an ejector, and how many there were of each kind. */
export class EjectionLedger {
  readonly #entries: LedgerEntry[] = [];
  readonly #counts = new Map<Detector, Record<EjectionOutcome, number>>();

  add(entry: LedgerEntry): void {
    this.#entries.push(entry);
    if (this.#entries.length > KEPT) this.#entries.shift();
    let counts = this.#counts.get(entry.detector);
    if (counts === undefined) {
      counts = { ejected: 0, capped: 0, would_eject: 0 };
      this.#counts.set(entry.detector, counts);
    }
    counts[entry.outcome]++;
  }

  /** Oldest first, the last 64. */
  get entries(): readonly LedgerEntry[] {
    return this.#entries;
  }

  /** Decisions since the start, by detector and outcome. */
  get counts(): ReadonlyMap<Detector, Readonly<Record<EjectionOutcome, number>>> {
    return this.#counts;
  }

  /** Ejections since the start. */
  get ejections(): number {
    let sum = 0;
    for (const counts of this.#counts.values()) sum += counts.ejected;
    return sum;
  }
}
