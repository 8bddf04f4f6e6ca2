import type { Failure } from '../failure.ts';
import type { Requester } from '../message/exchange.ts';
import type { HeaderBlock, RequestHead } from '../message/head.ts';
import type { UpstreamResponder } from './upstream.ts';

/** Body bytes kept for an exchange that has no connection yet; what one read brings may come on top. */
const KEPT_BYTES = 65_536;

/**
 * An exchange that waits for a connection, and afterwards passes on to it. What arrives of the request body
 * meanwhile is copied and sent behind the head, so that both leave together.
 */
export class WaitingExchange implements UpstreamResponder {
  /** `Clock.now()` when it began to wait. */
  readonly sinceMs: number;
  /** Waits for a connection that has not carried others. */
  readonly fresh: boolean;
  readonly #head: RequestHead;
  readonly #requester: Requester;
  readonly #abandoned: (exchange: WaitingExchange) => void;
  #responder: UpstreamResponder | null = null;
  #body: Buffer[] = [];
  #bodyBytes = 0;
  #ended = false;
  #trailers: HeaderBlock | null = null;
  #over = false;

  /** `abandoned` is called when the requester gives up before there is a connection. */
  constructor(
    head: RequestHead,
    requester: Requester,
    sinceMs: number,
    fresh: boolean,
    abandoned: (exchange: WaitingExchange) => void,
  ) {
    this.#head = head;
    this.#requester = requester;
    this.sinceMs = sinceMs;
    this.fresh = fresh;
    this.#abandoned = abandoned;
  }

  get reused(): boolean {
    return this.#responder?.reused ?? false;
  }

  get openedAt(): number {
    return this.#responder?.openedAt ?? 0;
  }

  data(bytes: Buffer): boolean {
    if (this.#responder !== null) return this.#responder.data(bytes);
    if (this.#over || this.#ended) return true;
    this.#body.push(Buffer.from(bytes));
    this.#bodyBytes += bytes.length;
    return this.#bodyBytes <= KEPT_BYTES;
  }

  end(trailers: HeaderBlock | null): void {
    if (this.#responder !== null) {
      this.#responder.end(trailers);
      return;
    }
    this.#ended = true;
    this.#trailers = trailers;
  }

  abort(failure: Failure): void {
    if (this.#responder !== null) {
      this.#responder.abort(failure);
      return;
    }
    if (this.#over) return;
    this.#finish();
    this.#abandoned(this);
  }

  resume(): void {
    this.#responder?.resume();
  }

  /** There is a connection: the request goes out on it, with what has arrived of the body. */
  start(connection: { open(head: RequestHead, requester: Requester): UpstreamResponder }): void {
    const responder = connection.open(this.#head, this.#requester);
    this.#responder = responder;
    const wasFull = this.#bodyBytes > KEPT_BYTES;
    let room = true;
    for (const bytes of this.#body) room = responder.data(bytes);
    this.#body = [];
    if (this.#ended) responder.end(this.#trailers);
    // Without room the responder itself calls `resume` later.
    else if (wasFull && room) this.#requester.resume();
  }

  /** There will be no connection. */
  fail(failure: Failure): void {
    if (this.#over) return;
    this.#finish();
    this.#requester.abort(failure);
  }

  #finish(): void {
    this.#over = true;
    this.#body = [];
  }
}
