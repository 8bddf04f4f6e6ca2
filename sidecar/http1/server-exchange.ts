import { Failure } from '../failure.ts';
import type { Requester, Responder } from '../message/exchange.ts';
import type { HeaderBlock, RequestHead, ResponseHead } from '../message/head.ts';
import type { Transport } from '../transport/transport.ts';
import { lastChunk, writeChunk } from './chunked.ts';
import { CHUNKED, NO_BODY, UNTIL_CLOSE } from './framing.ts';
import { responseHeadText } from './write.ts';

/** The connection, as its running exchange calls it. */
export interface ExchangeOwner {
  /** The exchange is the one that runs now; calls of any other come too late. */
  runs(exchange: ServerExchange): boolean;
  /** The final response must announce the end of the connection. */
  readonly closes: boolean;
  /** A 100 went out: the body may come now. */
  continued(): void;
  /** The head that accepts the tunnel went out. */
  tunnelOpened(): void;
  /** The tunnel was refused by an ordinary response, whose head went out. */
  tunnelRefused(): void;
  /** The responder has room for more of the request. */
  roomForBody(): void;
  /** Output waits for the peer; `drained` will come. */
  outputFull(): void;
  /** The response, or our direction of the tunnel, is complete. */
  responded(): void;
  /** The exchange is over without a complete response; `answerable`: nothing of a final one went out. */
  broken(failure: Failure, answerable: boolean): void;
}

const AWAITING_HEAD = 0;
const IN_BODY = 1;
/** A response without a body: what is said to be one is not written. */
const BODILESS = 2;
const IN_TUNNEL = 3;
const OVER = 4;

/** One exchange of a downstream connection: writes the response, ignores whoever comes late. */
export class ServerExchange implements Requester {
  readonly #owner: ExchangeOwner;
  readonly #transport: Transport;
  readonly #expectsContinue: boolean;
  readonly request: RequestHead;
  /** Set as soon as the handler has returned. */
  responder: Responder | null = null;
  #phase = AWAITING_HEAD;
  #framing = NO_BODY;
  #left = 0;
  /** The final response says that the connection ends with it. */
  closes = false;

  constructor(
    owner: ExchangeOwner,
    transport: Transport,
    request: RequestHead,
    expectsContinue: boolean,
  ) {
    this.#owner = owner;
    this.#transport = transport;
    this.request = request;
    this.#expectsContinue = expectsContinue;
  }

  /** The response, or our direction of the tunnel, has ended. */
  get over(): boolean {
    return this.#phase === OVER;
  }

  head(head: ResponseHead): void {
    if (this.#phase !== AWAITING_HEAD) return;
    const { status } = head;
    if (this.#opensTunnel(status)) this.#tunnel(head);
    else if (status < 200) this.#interim(head);
    else this.#final(head);
  }

  data(bytes: Buffer): boolean {
    switch (this.#phase) {
      case IN_TUNNEL:
        return this.#written(this.#transport.write(bytes));
      case IN_BODY:
        return this.#body(bytes);
      default:
        return true;
    }
  }

  end(trailers: HeaderBlock | null): void {
    switch (this.#phase) {
      case IN_TUNNEL:
        this.#transport.end();
        break;
      case IN_BODY:
        if (!this.#endBody(trailers)) return;
        break;
      case BODILESS:
        break;
      case AWAITING_HEAD:
        this.#bug('a response ended before its head');
        return;
      default:
        return;
    }
    this.#phase = OVER;
    this.#owner.responded();
  }

  abort(failure: Failure): void {
    // A tunnel of which our direction has ended is still running.
    if (!this.#owner.runs(this)) return;
    const answerable = this.#phase === AWAITING_HEAD;
    this.#phase = OVER;
    this.#owner.broken(failure, answerable);
  }

  resume(): void {
    if (this.#owner.runs(this)) this.#owner.roomForBody();
  }

  /** The connection gives the exchange up: nothing more is written, whoever calls. True: a head may be sent. */
  giveUp(): boolean {
    const answerable = this.#phase === AWAITING_HEAD;
    this.#phase = OVER;
    return answerable;
  }

  #opensTunnel(status: number): boolean {
    if (status === 101) return this.request.protocol !== null;
    return this.request.method === 'CONNECT' && status >= 200 && status < 300;
  }

  #tunnel(head: ResponseHead): void {
    const protocol = head.status === 101 ? this.request.protocol : null;
    const text = responseHeadText(head, NO_BODY, protocol === null ? '' : 'Upgrade', protocol);
    if (text === null) {
      this.#bug('a response head cannot be written');
      return;
    }
    this.#phase = IN_TUNNEL;
    this.#transport.write(text);
    this.#owner.tunnelOpened();
  }

  #interim(head: ResponseHead): void {
    // Clients of HTTP/1.0 know no interim responses; a 100 that nobody waits for confuses others too.
    if (this.request.version !== '1.1' || head.status === 101) return;
    if (head.status === 100 && !this.#expectsContinue) return;
    const text = responseHeadText(head, NO_BODY, '', null);
    if (text === null) {
      this.#bug('an interim head cannot be written');
      return;
    }
    this.#transport.write(text);
    if (head.status === 100) this.#owner.continued();
  }

  #final(head: ResponseHead): void {
    const framing = this.#framingOf(head);
    this.closes = this.#owner.closes || framing === UNTIL_CLOSE;
    const text = responseHeadText(head, framing, this.closes ? 'close' : '', null);
    if (text === null) {
      this.#bug('a response head cannot be written');
      return;
    }
    this.#framing = framing;
    this.#left = framing;
    this.#phase = this.#isBodiless(head.status) ? BODILESS : IN_BODY;
    this.#transport.write(text);
    const asked = this.request.protocol !== null || this.request.method === 'CONNECT';
    if (asked) this.#owner.tunnelRefused();
  }

  #isBodiless(status: number): boolean {
    return this.request.method === 'HEAD' || status === 204 || status === 304;
  }

  #framingOf(head: ResponseHead): number {
    if (head.status === 204) return NO_BODY;
    if (head.contentLength !== null) return head.contentLength;
    if (this.#isBodiless(head.status)) return NO_BODY;
    if (head.ended) return 0;
    return this.request.version === '1.1' ? CHUNKED : UNTIL_CLOSE;
  }

  #body(bytes: Buffer): boolean {
    if (this.#framing === CHUNKED) return this.#written(writeChunk(this.#transport, bytes));
    if (this.#framing !== UNTIL_CLOSE) {
      if (bytes.length > this.#left) {
        this.#bug('a response body is longer than its head says');
        return true;
      }
      this.#left -= bytes.length;
    }
    return this.#written(this.#transport.write(bytes));
  }

  #endBody(trailers: HeaderBlock | null): boolean {
    if (this.#framing === CHUNKED) {
      const last = lastChunk(trailers);
      if (last === null) {
        this.#bug('a trailer cannot be written');
        return false;
      }
      this.#transport.write(last);
    } else if (this.#framing !== UNTIL_CLOSE && this.#left > 0) {
      this.#bug('a response body is shorter than its head says');
      return false;
    }
    return true;
  }

  #written(room: boolean): boolean {
    if (!room) this.#owner.outputFull();
    return room;
  }

  #bug(detail: string): void {
    const failure = new Failure('internal_error', detail);
    const answerable = this.#phase === AWAITING_HEAD;
    this.#phase = OVER;
    this.responder?.abort(failure);
    this.#owner.broken(failure, answerable);
  }
}
