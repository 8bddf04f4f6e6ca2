import type { AttemptRecord } from '../../telemetry/record.ts';
import type { Endpoint } from '../cluster/endpoint.ts';
import { Failure } from '../failure.ts';
import type { Requester } from '../message/exchange.ts';
import type { HeaderBlock, RequestHead, ResponseHead } from '../message/head.ts';
import type { UpstreamResponder } from '../upstream/upstream.ts';

/** What an attempt asks of the exchange it belongs to. */
export interface AttemptOwner {
  /** An interim head (1xx other than 101). */
  attemptInterim(attempt: Attempt, head: ResponseHead): void;
  /** The final head; after it the attempt is either committed or superseded. */
  attemptHead(attempt: Attempt, head: ResponseHead): void;
  attemptData(attempt: Attempt, bytes: Buffer): boolean;
  attemptEnd(attempt: Attempt, trailers: HeaderBlock | null): void;
  attemptFailed(attempt: Attempt, failure: Failure): void;
  attemptRoom(attempt: Attempt): void;
}

/** What is known of an attempt when it is made. */
export interface AttemptFacts {
  readonly spanId: string;
  readonly startMs: number;
  readonly lbReason: string;
  readonly candidates: number;
  readonly retryReason: string | null;
  /** Infinite without a deadline. */
  readonly timeLeftMs: number;
}

/** Bytes of a superseded response that are read and dropped so that its connection stays usable. */
const DISCARD_BYTES = 65_536;
const SUPERSEDED = new Failure('downstream_closed', 'another attempt took over');

/**
 * One try at one endpoint: takes the response from the upstream and hands it to the exchange for as long
 * as it is the exchange's live attempt. A superseded attempt swallows the rest of its response.
 */
export class Attempt implements Requester, AttemptRecord {
  readonly #owner: AttemptOwner;
  readonly endpoint: Endpoint;
  #responder: UpstreamResponder | null = null;
  #discarded = -1;
  #over = false;

  readonly spanId: string;
  readonly startMs: number;
  sentMs = 0;
  endMs = 0;
  status = 0;
  code: string | null = null;
  readonly lbReason: string;
  readonly candidates: number;
  readonly activeRequests: number;
  reused = false;
  connectionAgeMs = 0;
  readonly retryReason: string | null;
  retryDenied: string | null = null;
  budgetRemaining = Number.NaN;
  readonly deadlineRemainingMs: number;

  constructor(owner: AttemptOwner, endpoint: Endpoint, sent: AttemptFacts) {
    this.#owner = owner;
    this.endpoint = endpoint;
    this.spanId = sent.spanId;
    this.startMs = sent.startMs;
    this.lbReason = sent.lbReason;
    this.candidates = sent.candidates;
    this.activeRequests = endpoint.inflight;
    this.retryReason = sent.retryReason;
    this.deadlineRemainingMs =
      sent.timeLeftMs === Number.POSITIVE_INFINITY ? Number.NaN : sent.timeLeftMs;
  }

  get address(): string {
    return this.endpoint.spec.address;
  }

  get port(): number {
    return this.endpoint.spec.port;
  }

  get zone(): string {
    return this.endpoint.spec.zone;
  }

  /** Its response is read only to be dropped. */
  get superseded(): boolean {
    return this.#discarded >= 0;
  }

  /** The downstream has room again for the response. */
  downstreamRoom(): void {
    if (!this.#over) this.#responder?.resume();
  }

  send(head: RequestHead): UpstreamResponder {
    const fresh = this.retryReason === 'keepalive_race';
    const responder = this.endpoint.upstream.open(head, this, fresh);
    this.#responder = responder;
    this.reused = responder.reused;
    if (responder.reused) this.connectionAgeMs = this.startMs - responder.openedAt;
    return responder;
  }

  /** The exchange goes on without this attempt, whose response has begun: drop what is left of it. */
  supersede(): void {
    this.#discarded = 0;
  }

  /** Ends the attempt at the upstream. */
  cancel(failure: Failure): void {
    if (this.#over) return;
    this.#over = true;
    this.#responder?.abort(failure);
  }

  head(head: ResponseHead): void {
    if (this.#over || this.#discarded >= 0) return;
    if (head.status < 200 && head.status !== 101) this.#owner.attemptInterim(this, head);
    else {
      this.status = head.status;
      this.#owner.attemptHead(this, head);
    }
  }

  data(bytes: Buffer): boolean {
    if (this.#over) return true;
    if (this.#discarded < 0) return this.#owner.attemptData(this, bytes);
    this.#discarded += bytes.length;
    if (this.#discarded > DISCARD_BYTES) {
      this.#over = true;
      this.#responder?.abort(SUPERSEDED);
    }
    return true;
  }

  end(trailers: HeaderBlock | null): void {
    if (this.#over) return;
    if (this.#discarded >= 0) this.#over = true;
    else this.#owner.attemptEnd(this, trailers);
  }

  abort(failure: Failure): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#discarded < 0) this.#owner.attemptFailed(this, failure);
  }

  resume(): void {
    if (!this.#over && this.#discarded < 0) this.#owner.attemptRoom(this);
  }

  /** The exchange is over on both sides; later calls are ignored. */
  close(): void {
    this.#over = true;
  }
}
