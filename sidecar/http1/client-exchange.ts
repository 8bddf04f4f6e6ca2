import { Failure } from '../failure.ts';
import type { Party, Requester } from '../message/exchange.ts';
import type { HeaderBlock, RequestHead } from '../message/head.ts';
import type { Transport } from '../transport/transport.ts';
import { lastChunk, writeChunk } from './chunked.ts';
import { CHUNKED, NO_BODY } from './framing.ts';
import { WaitingInput } from './waiting-input.ts';
import { requestBodyFraming, requestHeadText } from './write.ts';

/** The connection, as its running exchange calls it. */
export interface ClientExchangeOwner {
  /** The exchange is the one that runs now; calls of any other come too late. */
  runs(exchange: ClientExchange): boolean;
  /** The requester has room for more of the response. */
  roomForResponse(): void;
  /** Our direction of the tunnel has ended. */
  tunnelEnded(): void;
  /** The requester gives up: nothing of this connection can be used again. */
  cancelled(): void;
  /** What the requester sent cannot be written: a bug on our side of the seam. */
  unwritable(failure: Failure): void;
}

/** Most bytes kept for a tunnel that is not open yet. */
const MAX_EARLY_BYTES = 65_536;

/** One exchange of an upstream connection: writes the request, ignores whoever comes late. */
export class ClientExchange implements Party {
  readonly #owner: ClientExchangeOwner;
  readonly #transport: Transport;
  readonly requester: Requester;
  readonly reused: boolean;
  readonly openedAt: number;
  /** A 100 is welcome. */
  readonly expectsContinue: boolean;
  /** Interim responses so far. */
  interims = 0;
  readonly #framing: number;
  readonly #asksForTunnel: boolean;
  #left: number;
  #ended: boolean;
  #tunnel = false;
  #early: WaitingInput | null = null;
  #earlyEnd = false;
  /** Output that waited when we last wrote, and whether any of ours has left since. */
  #unsent = 0;
  #sent = false;

  constructor(
    owner: ClientExchangeOwner,
    transport: Transport,
    head: RequestHead,
    requester: Requester,
    reused: boolean,
    openedAt: number,
  ) {
    this.#owner = owner;
    this.#transport = transport;
    this.requester = requester;
    this.reused = reused;
    this.openedAt = openedAt;
    this.expectsContinue = head.headers.get('expect') !== null;
    this.#asksForTunnel = head.protocol !== null || head.method === 'CONNECT';
    this.#framing = requestBodyFraming(head);
    this.#left = this.#framing;
    this.#ended = head.ended && !this.#asksForTunnel;
  }

  /** Writes the head; false when it cannot be written, and nothing was. */
  start(head: RequestHead): boolean {
    const text = requestHeadText(head, this.#framing);
    if (text === null) return false;
    const before = this.#transport.unsent;
    this.#transport.write(text);
    this.#afterWrite(before);
    return true;
  }

  /** Every byte of the request has been written. */
  get complete(): boolean {
    return this.#ended || (this.#framing >= 0 && this.#left === 0);
  }

  /** No byte of the request has reached the kernel, so nothing that comes in can be its response. */
  get unsent(): boolean {
    return !this.#sent && this.#transport.unsent >= this.#unsent;
  }

  get tunnel(): boolean {
    return this.#tunnel;
  }

  /** The peer has accepted the tunnel: what came early leaves. True when the requester was told to wait. */
  openTunnel(): boolean {
    this.#tunnel = true;
    const early = this.#early;
    this.#early = null;
    if (early !== null) this.#transport.write(early.view);
    if (this.#earlyEnd) this.#endTunnel();
    return early !== null;
  }

  data(bytes: Buffer): boolean {
    if (!this.#owner.runs(this)) return true;
    if (this.#tunnel) return this.#transport.write(bytes);
    if (this.#asksForTunnel) return this.#keepEarly(bytes);
    if (this.#ended || this.#framing === NO_BODY) {
      if (bytes.length > 0) this.#unwritable('a request without a body got one');
      return true;
    }
    const before = this.#beforeWrite();
    let room: boolean;
    if (this.#framing === CHUNKED) room = writeChunk(this.#transport, bytes);
    else {
      if (bytes.length > this.#left) {
        this.#unwritable('a request body is longer than its head says');
        return true;
      }
      this.#left -= bytes.length;
      room = this.#transport.write(bytes);
    }
    this.#afterWrite(before);
    return room;
  }

  end(trailers: HeaderBlock | null): void {
    if (!this.#owner.runs(this)) return;
    if (this.#tunnel) {
      this.#endTunnel();
      return;
    }
    if (this.#ended) return;
    if (this.#asksForTunnel) {
      // Either the tunnel was refused, or the caller has nothing more to say through it.
      this.#ended = true;
      this.#earlyEnd = true;
      return;
    }
    if (this.#framing > 0 && this.#left > 0) {
      this.#unwritable('a request body is shorter than its head says');
      return;
    }
    this.#ended = true;
    if (this.#framing !== CHUNKED) return;
    const last = lastChunk(trailers);
    if (last === null) this.#unwritable('a trailer cannot be written');
    else this.#transport.write(last);
  }

  abort(_failure: Failure): void {
    if (this.#owner.runs(this)) this.#owner.cancelled();
  }

  resume(): void {
    if (this.#owner.runs(this)) this.#owner.roomForResponse();
  }

  #endTunnel(): void {
    this.#ended = true;
    this.#transport.end();
    this.#owner.tunnelEnded();
  }

  #keepEarly(bytes: Buffer): boolean {
    if (this.#ended || bytes.length === 0) return true;
    if (this.#early === null) this.#early = new WaitingInput();
    if (this.#early.length + bytes.length > MAX_EARLY_BYTES) {
      this.#owner.unwritable(
        new Failure('overflow', 'too many bytes for a tunnel that is not open'),
      );
    } else this.#early.push(bytes, 0);
    return false;
  }

  /** Output that waits now, before we write; notices when some of ours has left since the last time. */
  #beforeWrite(): number {
    const before = this.#transport.unsent;
    if (before < this.#unsent) this.#sent = true;
    return before;
  }

  #afterWrite(before: number): void {
    this.#unsent = this.#transport.unsent;
    if (this.#unsent <= before) this.#sent = true;
  }

  #unwritable(detail: string): void {
    this.#owner.unwritable(new Failure('internal_error', detail));
  }
}
