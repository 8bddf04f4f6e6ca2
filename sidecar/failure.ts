import { catalogue, type Retryable } from './failure-catalogue.ts';

/** Stable code of the error catalogue; never renamed or reused. */
export type FailureCode = keyof typeof catalogue;

/** Facts at hand when it failed; shown to the local application, never collected with extra work. */
export type Evidence = Readonly<Record<string, string | number | boolean | null>>;

/**
 * An expected failure, as a value: what the caller is told, what is counted and logged. Made without
 * a stack and never thrown. Anything unexpected is a bug and stays an exception.
 */
export class Failure {
  readonly code: FailureCode;
  readonly evidence: Evidence;
  /** One sentence about this occurrence; empty: the catalogue's title serves. */
  readonly detail: string;
  /** HTTP status when the occurrence refines the catalogue's, such as 414 for a long target. */
  readonly status: number;

  constructor(code: FailureCode, detail = '', evidence: Evidence = noEvidence, status = 0) {
    this.code = code;
    this.detail = detail;
    this.evidence = evidence;
    this.status = status === 0 ? catalogue[code].status : status;
  }

  get retryable(): Retryable {
    return catalogue[this.code].retryable;
  }

  /** Short alias for logs: Envoy's response flag where there is one, else ours. */
  get flag(): string {
    return catalogue[this.code].flag;
  }
}

const noEvidence: Evidence = Object.freeze({});
