import type { Clock, Timer } from '../../telemetry/clock.ts';
import { Failure } from '../failure.ts';
import type { Handler, Responder } from '../message/exchange.ts';
import type { Peer, RequestHead } from '../message/head.ts';
import { localReply } from '../message/problem.ts';
import type { Transport, TransportHandler } from '../transport/transport.ts';
import { BodyReader } from './body-reader.ts';
import { INCOMPLETE, REFUSED } from './field-lines.ts';
import { HeadReader } from './head-reader.ts';
import type { Http1Limits } from './limits.ts';
import { RequestParser } from './parse-request.ts';
import { type PendingHead, pendingHeads } from './pending-heads.ts';
import { type Refusal, requestFailure } from './refusal.ts';
import { type ExchangeOwner, ServerExchange } from './server-exchange.ts';
import { WaitingInput } from './waiting-input.ts';
import { responseHeadText } from './write.ts';

/** What a downstream connection is part of. */
export interface Http1ServerOptions {
  readonly handler: Handler;
  readonly peer: Peer;
  readonly limits: Http1Limits;
  readonly clock: Clock;
  readonly scheme: 'http' | 'https';
  /** Authority of HTTP/1.0 requests without Host; null refuses them. */
  readonly defaultAuthority: string | null;
  readonly allowConnect: boolean;
  /** Protocols of Upgrade that are passed on, in lower case. `websocket` alone when absent. */
  readonly upgrades?: readonly string[];
  /** The caller is the local application: refusals tell it everything. */
  readonly trusted?: boolean;
  /** A request could not be read, and is answered here. Returns the `x-request-id` it is recorded under. */
  readonly refused: (failure: Failure) => string;
  /** The connection is gone; called once. */
  readonly closed?: () => void;
}

/** What the next input byte belongs to. */
const HEAD = 0;
const BODY = 1;
/** The request is complete; input waits until its response is. */
const WAITING = 2;
/** A tunnel was asked for; input waits until the answer. */
const ASKED = 3;
const TUNNEL = 4;
/** The last answer is out: input is thrown away until the peer has read it. */
const CLOSING = 5;
const CLOSED = 6;

/** Why reading is paused. */
const NO_ROOM = 1;
const INPUT_WAITS = 2;

const NEVER = Number.POSITIVE_INFINITY;
const DEFAULT_UPGRADES: readonly string[] = ['websocket'];

/**
 * One downstream HTTP/1.1 connection: requests in, one exchange at a time, responses out. Whatever is
 * malformed or late is answered and ends the connection; a response that breaks off ends in a reset.
 */
export class Http1ServerConnection implements TransportHandler, ExchangeOwner, PendingHead {
  readonly #transport: Transport;
  readonly #options: Http1ServerOptions;
  readonly #limits: Http1Limits;
  readonly #parser: RequestParser;
  readonly #reader: HeadReader;
  readonly #body: BodyReader;
  readonly #waiting = new WaitingInput();
  #state = HEAD;
  #exchange: ServerExchange | null = null;
  #persistent = true;
  /** The tunnel that the running request asked for will not come. */
  #refusedTunnel = false;
  #draining = false;
  #consuming = false;
  #peerEnded = false;
  #paused = 0;
  #discarded = 0;
  #headKept = false;
  /** Start of the phase that `#state` names: idle or head, last body byte, closing. */
  #since: number;
  /** The sender waits for a 100 and owes no body yet. */
  #unasked = false;
  #windowStart = 0;
  #windowBytes = 0;
  #outputFull = false;
  #stalledSince = 0;
  #stalledUnsent = 0;
  #timer: Timer | null = null;
  #timerAt = NEVER;

  constructor(transport: Transport, options: Http1ServerOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#limits = options.limits;
    this.#parser = new RequestParser({
      limits: options.limits,
      scheme: options.scheme,
      defaultAuthority: options.defaultAuthority,
      allowConnect: options.allowConnect,
      upgrades: options.upgrades ?? DEFAULT_UPGRADES,
    });
    this.#reader = new HeadReader(this.#parser, 'request', options.limits);
    this.#body = new BodyReader(options.limits);
    this.#since = options.clock.now();
    this.#arm(this.#since, this.#limits.idleTimeoutMs);
  }

  /** No exchange runs and no byte of a request has come. */
  get idle(): boolean {
    return this.#state === HEAD && this.#reader.pendingBytes === 0 && this.#waiting.length === 0;
  }

  /** Ends the connection when it is idle, at once or after the exchange that runs. */
  drain(): void {
    this.#draining = true;
    if (this.idle) this.#close();
  }

  /** Ends the connection now; a running exchange is aborted. */
  destroy(): void {
    this.#transport.destroy(true);
  }

  // ---- input -----------------------------------------------------------------------------------

  received(bytes: Buffer): void {
    if (this.#waiting.length > 0) {
      this.#waiting.push(bytes, 0);
    } else {
      this.#consuming = true;
      const at = this.#consume(bytes);
      this.#consuming = false;
      if (at < bytes.length) this.#waiting.push(bytes, at);
      else if (this.#state === BODY) this.#bodyArrived(bytes.length);
      else if (this.#draining && this.idle) this.#close();
    }
    if (this.#waiting.length >= this.#limits.maxWaitingBytes) this.#pause(INPUT_WAITS);
  }

  ended(): void {
    this.#peerEnded = true;
    if (this.#waiting.length === 0) this.#inputEnded();
  }

  drained(): void {
    this.#outputFull = false;
    this.#exchange?.responder?.resume();
  }

  closed(_error: NodeJS.ErrnoException | null): void {
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    this.#waiting.clear();
    this.#reader.clear();
    this.#releaseHead();
    this.#timer?.cancel();
    this.#timer = null;
    const exchange = this.#exchange;
    this.#exchange = null;
    if (exchange !== null) {
      exchange.giveUp();
      exchange.responder?.abort(
        new Failure('downstream_closed', 'the caller closed the connection'),
      );
    }
    this.#options.closed?.();
  }

  evict(): void {
    this.#refuse(new Failure('overloaded', 'too many unfinished request heads'));
  }

  /** Reads as far as the state allows; the position behind the last byte that was taken. */
  #consume(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length) {
      switch (this.#state) {
        case HEAD:
          at = this.#head(bytes, at);
          break;
        case BODY:
          at = this.#bodyBytes(bytes, at);
          break;
        case TUNNEL:
          this.#tunnelBytes(at === 0 ? bytes : bytes.subarray(at));
          return bytes.length;
        case WAITING:
        case ASKED:
          return at;
        default:
          this.#discard(bytes.length - at);
          return bytes.length;
      }
    }
    return at;
  }

  #head(bytes: Buffer, from: number): number {
    const at = this.#reader.read(bytes, from);
    if (at === INCOMPLETE) {
      this.#headArrived();
      return bytes.length;
    }
    this.#releaseHead();
    if (at === REFUSED) {
      this.#refuse(requestFailure(this.#reader.refused as Refusal, this.#limits));
      return bytes.length;
    }
    this.#begin(this.#parser.head as RequestHead, this.#parser.framing);
    return at;
  }

  #begin(head: RequestHead, framing: number): void {
    const exchange = new ServerExchange(this, this.#transport, head, this.#parser.expectsContinue);
    this.#exchange = exchange;
    this.#persistent = this.#parser.persistent;
    this.#refusedTunnel = this.#parser.upgradeDropped;
    if (head.ended) this.#state = WAITING;
    else if (framing === 0) this.#state = ASKED;
    else {
      this.#state = BODY;
      this.#body.start(framing);
      this.#unasked = this.#parser.expectsContinue;
      this.#windowStart = 0;
    }
    const responder = this.#options.handler(head, exchange);
    exchange.responder = responder;
    if (head.ended) responder.end(null);
  }

  #bodyBytes(bytes: Buffer, from: number): number {
    const exchange = this.#exchange as ServerExchange;
    const responder = exchange.responder as Responder;
    const at = this.#body.read(bytes, from, responder);
    // The responder may have ended or aborted the exchange meanwhile.
    if (this.#exchange !== exchange || this.#state !== BODY) return bytes.length;
    if (at === REFUSED) {
      this.#abandon(requestFailure(this.#body.refused, this.#limits));
      return bytes.length;
    }
    if (this.#body.done) {
      this.#state = WAITING;
      responder.end(this.#body.trailers);
    } else if (this.#body.blocked) this.#pause(NO_ROOM);
    return at;
  }

  #tunnelBytes(bytes: Buffer): void {
    const responder = this.#exchange?.responder;
    if (responder === null || responder === undefined) return;
    if (!responder.data(bytes)) this.#pause(NO_ROOM);
  }

  #discard(count: number): void {
    this.#discarded += count;
    // Ended now, the connection would be reset, and the peer might never read its answer: it has its time.
    if (this.#state === CLOSING && this.#discarded > this.#limits.maxDiscardBytes) {
      this.#transport.pause();
    }
  }

  #drainWaiting(): void {
    while (this.#waiting.length > 0 && this.#state !== WAITING && this.#state !== ASKED) {
      this.#consuming = true;
      const taken = this.#consume(this.#waiting.view);
      this.#consuming = false;
      if (this.#state === CLOSED) return;
      if (this.#state === BODY) this.#bodyArrived(taken);
      this.#waiting.advance(taken);
    }
    if (this.#waiting.length > 0) return;
    this.#unpause(INPUT_WAITS);
    if (this.#peerEnded) this.#inputEnded();
    else if (this.#draining && this.idle) this.#close();
  }

  /** The peer sent FIN and nothing of what came before it waits. */
  #inputEnded(): void {
    switch (this.#state) {
      case HEAD:
        if (this.#reader.pendingBytes === 0) this.#close();
        else
          this.#refuse(
            new Failure('downstream_protocol_error', 'the request ended within its head'),
          );
        break;
      case BODY:
        this.#abandon(
          new Failure('downstream_closed', 'the request ended within its body', undefined, 400),
        );
        break;
      case TUNNEL:
        this.#tunnelEnded();
        break;
      default:
        // A half-closed peer still gets the response of its complete request.
        break;
    }
  }

  #tunnelEnded(): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    if (exchange.over) this.#exchange = null;
    exchange.responder?.end(null);
  }

  // ---- the running exchange --------------------------------------------------------------------

  get closes(): boolean {
    return (
      !this.#persistent ||
      this.#draining ||
      this.#state === BODY ||
      ((this.#state === ASKED || this.#refusedTunnel) && this.#waiting.length > 0) ||
      (this.#peerEnded && this.#waiting.length === 0)
    );
  }

  continued(): void {
    this.#unasked = false;
    if (this.#state === BODY) this.#bodyArrived(0);
  }

  tunnelOpened(): void {
    this.#state = TUNNEL;
    this.#waitingMayGo();
  }

  tunnelRefused(): void {
    this.#refusedTunnel = true;
    this.#state = WAITING;
    this.#exchange?.responder?.end(null);
  }

  runs(exchange: ServerExchange): boolean {
    return this.#exchange === exchange;
  }

  roomForBody(): void {
    this.#unpause(NO_ROOM);
    if (this.#state !== BODY) return;
    this.#since = this.#options.clock.now();
    this.#windowStart = this.#since;
    this.#windowBytes = 0;
  }

  outputFull(): void {
    if (this.#outputFull) return;
    this.#outputFull = true;
    this.#stalledSince = this.#options.clock.now();
    this.#stalledUnsent = this.#transport.unsent;
    this.#arm(this.#stalledSince, this.#limits.stallTimeoutMs);
  }

  responded(): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    if (this.#state === TUNNEL) {
      if (this.#peerEnded) this.#exchange = null;
      return;
    }
    this.#exchange = null;
    // Bytes that were meant for a tunnel must not be read as a request.
    const stray = this.#refusedTunnel && this.#waiting.length > 0;
    if (exchange.closes || stray || this.#state !== WAITING) {
      this.#close();
      return;
    }
    this.#state = HEAD;
    this.#since = this.#options.clock.now();
    this.#arm(this.#since, this.#limits.idleTimeoutMs);
    this.#unpause(NO_ROOM);
    this.#waitingMayGo();
  }

  broken(failure: Failure, answerable: boolean): void {
    const responder = this.#exchange?.responder ?? null;
    this.#exchange = null;
    if (answerable && failure.code !== 'downstream_closed') this.#answer(failure, responder);
    else {
      this.#state = CLOSING;
      this.#transport.destroy(true);
    }
  }

  /** Bytes that waited for the exchange are read, unless a loop that runs does so anyway. */
  #waitingMayGo(): void {
    if (this.#consuming) return;
    if (this.#waiting.length > 0) this.#drainWaiting();
    else if (this.#peerEnded) this.#inputEnded();
    else if (this.#draining && this.idle) this.#close();
  }

  // ---- refusals and the end --------------------------------------------------------------------

  /** A request that never became an exchange. */
  #refuse(failure: Failure): void {
    this.#answer(failure, { requestId: this.#options.refused(failure) });
  }

  /** The request of the running exchange cannot be read on: over for both, answered if still possible. */
  #abandon(failure: Failure): void {
    const exchange = this.#exchange as ServerExchange;
    this.#exchange = null;
    const answerable = exchange.giveUp();
    exchange.responder?.abort(failure);
    if (answerable) this.#answer(failure, exchange.responder);
    else {
      this.#state = CLOSING;
      this.#transport.destroy(true);
    }
  }

  #answer(failure: Failure, request: Pick<Responder, 'requestId' | 'traceId'> | null): void {
    const reply = localReply(failure, {
      traceId: request?.traceId ?? '',
      requestId: request?.requestId ?? '',
      service: '',
      full: this.#options.trusted ?? false,
    });
    const text = responseHeadText(reply.head, reply.body.length, 'close', null);
    if (text !== null) {
      this.#transport.write(text);
      this.#transport.write(reply.body, true);
    }
    this.#close();
  }

  /** Half-closes behind what is written; input is read and dropped, or closing would reset the answer away. */
  #close(): void {
    this.#state = CLOSING;
    this.#waiting.clear();
    this.#reader.clear();
    this.#releaseHead();
    this.#transport.end();
    this.#unpause(NO_ROOM | INPUT_WAITS);
    this.#since = this.#options.clock.now();
    this.#stalledUnsent = this.#transport.unsent;
    this.#arm(this.#since, this.#limits.lingerMs);
  }

  #pause(reason: number): void {
    if (this.#paused === 0) this.#transport.pause();
    this.#paused |= reason;
  }

  #unpause(reason: number): void {
    if (this.#paused === 0) return;
    this.#paused &= ~reason;
    if (this.#paused === 0) this.#transport.resume();
  }

  // ---- time ------------------------------------------------------------------------------------

  #headArrived(): void {
    if (!this.#headKept) {
      this.#headKept = true;
      this.#since = this.#options.clock.now();
      this.#arm(this.#since, this.#limits.headTimeoutMs);
    }
    pendingHeads.keep(this, this.#reader.pendingBytes);
  }

  #releaseHead(): void {
    if (!this.#headKept) return;
    this.#headKept = false;
    pendingHeads.release(this);
  }

  #bodyArrived(count: number): void {
    this.#since = this.#options.clock.now();
    if (count > 0 && this.#windowStart > 0) this.#unasked = false;
    if (this.#windowStart === 0) {
      this.#windowStart = this.#since;
      this.#windowBytes = 0;
    }
    this.#windowBytes += count;
    const { bodyIdleTimeoutMs, bodyRateWindowMs } = this.#limits;
    this.#arm(this.#since, Math.min(bodyIdleTimeoutMs, bodyRateWindowMs));
  }

  #arm(nowMs: number, delayMs: number): void {
    const at = nowMs + delayMs;
    if (at >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = this.#options.clock.schedule(delayMs, this.#onTime);
  }

  /** One timer serves all waits: it looks what is due and sleeps until the next of them. */
  readonly #onTime = (): void => {
    this.#timer = null;
    this.#timerAt = NEVER;
    const now = this.#options.clock.now();
    let next = this.#outputDue(now);
    if (next === now) return;
    switch (this.#state) {
      case HEAD:
        next = Math.min(next, this.#headDue(now));
        break;
      case BODY:
        next = Math.min(next, this.#bodyDue(now));
        break;
      case CLOSING:
        next = Math.min(next, this.#closingDue(now));
        break;
      default:
        break;
    }
    if (next > now && next !== NEVER) this.#arm(now, next - now);
  };

  /** When to look again, or `now` when the connection has been given up. */
  #outputDue(now: number): number {
    if (!this.#outputFull || this.#state === CLOSING) return NEVER;
    const due = this.#stalledSince + this.#limits.stallTimeoutMs;
    if (now < due) return due;
    if (this.#transport.unsent >= this.#stalledUnsent) {
      this.#transport.destroy(true);
      return now;
    }
    this.#stalledSince = now;
    this.#stalledUnsent = this.#transport.unsent;
    return now + this.#limits.stallTimeoutMs;
  }

  #headDue(now: number): number {
    const { headTimeoutMs, idleTimeoutMs } = this.#limits;
    const due = this.#since + (this.#headKept ? headTimeoutMs : idleTimeoutMs);
    if (now < due) return due;
    if (this.#headKept) {
      this.#refuse(
        new Failure('request_header_timeout', `no complete request head in ${headTimeoutMs} ms`, {
          head_timeout_ms: headTimeoutMs,
        }),
      );
    } else this.#close();
    return now;
  }

  #bodyDue(now: number): number {
    const { bodyIdleTimeoutMs, bodyRateWindowMs, minBodyBytesPerSecond } = this.#limits;
    if ((this.#paused & NO_ROOM) !== 0 || this.#unasked) {
      // Not the sender's fault: its time starts anew when it may send.
      this.#since = now;
      this.#windowStart = now;
      this.#windowBytes = 0;
      return now + Math.min(bodyIdleTimeoutMs, bodyRateWindowMs);
    }
    const idleDue = this.#since + bodyIdleTimeoutMs;
    const rateDue = this.#windowStart + bodyRateWindowMs;
    const tooSlow = this.#windowBytes * 1000 < minBodyBytesPerSecond * bodyRateWindowMs;
    if (now >= idleDue || (now >= rateDue && tooSlow)) {
      this.#abandon(
        new Failure('request_body_timeout', 'the request body stalled or came too slowly', {
          body_idle_timeout_ms: bodyIdleTimeoutMs,
          min_body_bytes_per_second: minBodyBytesPerSecond,
        }),
      );
      return now;
    }
    if (now < rateDue) return Math.min(idleDue, rateDue);
    this.#windowStart = now;
    this.#windowBytes = 0;
    return Math.min(idleDue, now + bodyRateWindowMs);
  }

  #closingDue(now: number): number {
    const unsent = this.#transport.unsent;
    const due = this.#since + (unsent > 0 ? this.#limits.stallTimeoutMs : this.#limits.lingerMs);
    if (unsent > 0 && unsent < this.#stalledUnsent) {
      this.#stalledUnsent = unsent;
      this.#since = now;
      return now + this.#limits.lingerMs;
    }
    if (now < due) return Math.min(due, now + this.#limits.lingerMs);
    this.#transport.destroy(unsent > 0);
    return now;
  }
}
