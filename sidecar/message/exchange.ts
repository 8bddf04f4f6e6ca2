import type { Failure } from '../failure.ts';
import type { HeaderBlock, RequestHead, ResponseHead } from './head.ts';

/**
 * One party to an exchange, as the other party calls it. No method throws.
 *
 * 1. A direction is `head`, `data`…, `end`; `end` follows even when `head.ended` is true. After
 *    `head(101)`, or a 2xx to CONNECT, `data` carries the tunnel's bytes.
 * 2. `abort` may come from either party until both messages have ended, also after its own `end`.
 *    It is final for both directions; later calls are ignored, not errors.
 * 3. False from `data` is advice: the bytes were taken, and at most the rest of the current read
 *    may still come before `resume`.
 * 4. A response may end before its request has.
 * 5. Framing never crosses: Content-Length, Transfer-Encoding, Connection and what it lists,
 *    Keep-Alive, Upgrade, Host and pseudo-fields are taken by the reading codec and written anew
 *    from the head's fields by the writing one. Codecs check that bytes match `contentLength`.
 * 6. No promise, closure or timer per `data` call, no `await` between a head and its body.
 */
export interface Party {
  /** Next piece of the caller's message, valid only inside the call. False: taken, now wait for your own `resume`. */
  data(bytes: Buffer): boolean;
  /** The caller's message is complete. */
  end(trailers: HeaderBlock | null): void;
  /** The exchange is over for both, at whatever point it had reached. */
  abort(failure: Failure): void;
  /** The caller has room again for the message it receives. */
  resume(): void;
}

/** Takes the response: 1xx heads any number of times, then the final head, its body and its end. */
export interface Requester extends Party {
  head(head: ResponseHead): void;
}

/** Takes the request body. */
export interface Responder extends Party {
  /** `x-request-id` and trace of the request, for an answer that the codec makes itself. Absent or empty: none. */
  readonly requestId?: string;
  readonly traceId?: string;
}

/** Starts an exchange. Never calls the requester before it has returned. */
export type Handler = (head: RequestHead, requester: Requester) => Responder;
