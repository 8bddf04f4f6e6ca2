import type { Clock } from '../../telemetry/clock.ts';
import { type Evidence, Failure } from '../failure.ts';
import type { Requester } from '../message/exchange.ts';
import type { HeaderBlock, RequestHead, ResponseHead } from '../message/head.ts';
import { READ_BYTES } from '../transport/read-buffer.ts';
import type { Transport, TransportHandler } from '../transport/transport.ts';
import { BodyReader } from './body-reader.ts';
import { ClientExchange, type ClientExchangeOwner } from './client-exchange.ts';
import { INCOMPLETE, REFUSED } from './field-lines.ts';
import { HeadReader } from './head-reader.ts';
import type { Http1Limits } from './limits.ts';
import { ResponseParser } from './parse-response.ts';
import { type Refusal, responseFailure } from './refusal.ts';

/** What an upstream connection is part of. */
export interface Http1ClientOptions {
  readonly limits: Http1Limits;
  readonly clock: Clock;
  /** Both messages ended cleanly and the connection may carry another exchange, at once. */
  readonly idle: (connection: Http1ClientConnection) => void;
  /** Evidence about the idle time before the exchange that runs. */
  readonly idled?: () => Evidence;
  /** The connection is gone; called once, with the error of the socket. */
  readonly closed: (connection: Http1ClientConnection, error: NodeJS.ErrnoException | null) => void;
}

/**
 * One upstream HTTP/1.1 connection: one exchange at a time. It is used again only when nothing is in
 * doubt: both messages complete, the peer willing, not a byte too many. Otherwise it is destroyed, so
 * that no response can reach the next requester.
 */
export class Http1ClientConnection implements TransportHandler, ClientExchangeOwner {
  readonly #transport: Transport;
  readonly #options: Http1ClientOptions;
  readonly #parser: ResponseParser;
  readonly #reader: HeadReader;
  readonly #body: BodyReader;
  /** Clock time at which the connection opened. */
  readonly openedAt: number;
  /** Exchanges started so far. */
  requests = 0;
  /** How long the peer keeps an idle connection, by its last Keep-Alive field; null when it has not said. */
  keepAliveMs: number | null = null;
  #exchange: ClientExchange | null = null;
  /** The final head has come. */
  #inBody = false;
  #persistent = true;
  #paused = false;
  #peerEnded = false;
  #draining = false;
  #dead = false;

  constructor(transport: Transport, options: Http1ClientOptions) {
    this.#transport = transport;
    this.#options = options;
    this.openedAt = options.clock.now();
    this.#parser = new ResponseParser(options.limits);
    this.#reader = new HeadReader(this.#parser, 'response', options.limits);
    this.#body = new BodyReader(options.limits);
  }

  /** An exchange runs; `open` must not be called. */
  get busy(): boolean {
    return this.#exchange !== null;
  }

  /** Starts an exchange: writes the head. The connection must not be busy. */
  open(head: RequestHead, requester: Requester): ClientExchange {
    this.requests++;
    const exchange = new ClientExchange(
      this,
      this.#transport,
      head,
      requester,
      this.requests > 1,
      this.openedAt,
    );
    this.#exchange = exchange;
    this.#inBody = false;
    this.#parser.expect(head.method, head.protocol);
    if (this.#dead) this.#failLater(exchange, this.#lost());
    else if (!exchange.start(head)) {
      this.#failLater(exchange, new Failure('internal_error', 'a request head cannot be written'));
    }
    return exchange;
  }

  /** Carries no further exchange: closes now, or when the one that runs has ended. */
  drain(): void {
    this.#draining = true;
    if (this.#exchange === null) this.#destroy();
  }

  /** Ends the connection now; a running exchange is aborted. */
  destroy(): void {
    if (this.#exchange === null) this.#destroy();
    else this.#fail(this.#lost());
  }

  // ---- response --------------------------------------------------------------------------------

  received(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      const exchange = this.#exchange;
      if (this.#dead) return;
      if (exchange === null) {
        // Bytes behind a complete response, or on an idle connection: nobody asked for them.
        this.#destroy();
        return;
      }
      if (exchange.tunnel) {
        if (!exchange.requester.data(at === 0 ? bytes : bytes.subarray(at))) this.#pause();
        return;
      }
      at = this.#inBody ? this.#bodyBytes(exchange, bytes, at) : this.#head(exchange, bytes, at);
      if (this.#inBody && this.#exchange === exchange && this.#body.done) {
        // Behind a read that filled its buffer more may lie, which would come as the next response.
        const exact = at === bytes.length && at !== READ_BYTES;
        this.#complete(exchange, exact, this.#body.trailers);
      }
    }
  }

  ended(): void {
    this.#peerEnded = true;
    const exchange = this.#exchange;
    if (exchange === null) this.#destroy();
    else if (exchange.tunnel) {
      const both = exchange.complete;
      if (both) this.#exchange = null;
      exchange.requester.end(null);
    } else if (this.#inBody && this.#body.untilClose) this.#complete(exchange, false, null);
    else this.#fail(this.#lost());
  }

  drained(): void {
    this.#exchange?.requester.resume();
  }

  closed(error: NodeJS.ErrnoException | null): void {
    this.#dead = true;
    const exchange = this.#exchange;
    if (exchange !== null) {
      const failure = this.#lost(error);
      this.#exchange = null;
      exchange.requester.abort(failure);
    }
    this.#reader.clear();
    this.#options.closed(this, error);
  }

  #head(exchange: ClientExchange, bytes: Buffer, from: number): number {
    if (exchange.unsent) {
      // It cannot answer a request that has not left: it is late for another one.
      this.#fail(this.#lost());
      return bytes.length;
    }
    const at = this.#reader.read(bytes, from);
    if (at === INCOMPLETE) return bytes.length;
    if (at === REFUSED) {
      this.#fail(responseFailure(this.#reader.refused as Refusal, this.#options.limits));
      return bytes.length;
    }
    const head = this.#parser.head as ResponseHead;
    if (this.#parser.tunnel) {
      const early = exchange.openTunnel();
      exchange.requester.head(head);
      if (early) exchange.requester.resume();
    } else if (head.status < 200) this.#interim(exchange, head);
    else {
      this.#inBody = true;
      this.#persistent = this.#parser.persistent;
      if (this.#parser.keepAliveMs >= 0) this.keepAliveMs = this.#parser.keepAliveMs;
      this.#body.start(this.#parser.framing);
      exchange.requester.head(head);
    }
    return at;
  }

  #interim(exchange: ClientExchange, head: ResponseHead): void {
    exchange.interims++;
    if (exchange.interims > this.#options.limits.maxInterim) {
      this.#fail(new Failure('upstream_protocol_error', 'too many interim responses'));
      return;
    }
    if (head.status !== 100 || exchange.expectsContinue) exchange.requester.head(head);
  }

  #bodyBytes(exchange: ClientExchange, bytes: Buffer, from: number): number {
    const at = this.#body.read(bytes, from, exchange.requester);
    if (this.#exchange !== exchange) return bytes.length;
    if (at === REFUSED) {
      const { detail } = this.#body.refused;
      this.#fail(new Failure('upstream_protocol_error', detail));
      return bytes.length;
    }
    if (this.#body.blocked) this.#pause();
    return at;
  }

  #complete(exchange: ClientExchange, exact: boolean, trailers: HeaderBlock | null): void {
    const usable =
      exact &&
      exchange.complete &&
      this.#persistent &&
      !this.#body.untilClose &&
      !this.#peerEnded &&
      !this.#draining;
    this.#exchange = null;
    if (usable) {
      this.#unpause();
      // First given back, so that a pipelined request which the end sets free finds it.
      this.#options.idle(this);
    } else this.#destroy();
    exchange.requester.end(trailers);
  }

  // ---- the running exchange --------------------------------------------------------------------

  runs(exchange: ClientExchange): boolean {
    return this.#exchange === exchange;
  }

  roomForResponse(): void {
    this.#unpause();
  }

  tunnelEnded(): void {
    if (this.#peerEnded) this.#exchange = null;
  }

  cancelled(): void {
    this.#exchange = null;
    this.#destroy();
  }

  unwritable(failure: Failure): void {
    const exchange = this.#exchange as ClientExchange;
    this.#failLater(exchange, failure);
  }

  /** The connection is lost or untrustworthy: the exchange is over, and so is the connection. */
  #fail(failure: Failure): void {
    const exchange = this.#exchange as ClientExchange;
    this.#exchange = null;
    this.#destroy();
    exchange.requester.abort(failure);
  }

  /** The same for a failure found while the requester is calling: it is told when its call has returned. */
  #failLater(exchange: ClientExchange, failure: Failure): void {
    this.#exchange = null;
    this.#destroy();
    queueMicrotask(() => exchange.requester.abort(failure));
  }

  /** What it means for the running exchange that the connection ends now. */
  #lost(error: NodeJS.ErrnoException | null = null): Failure {
    const exchange = this.#exchange as ClientExchange;
    const evidence = {
      requests: this.requests,
      age_ms: Math.round(this.#options.clock.now() - this.openedAt),
      error: error?.code ?? null,
    };
    if (this.#inBody || exchange.tunnel) {
      return new Failure(
        'response_truncated',
        'the connection ended within the response',
        evidence,
      );
    }
    if (exchange.reused && this.#reader.pendingBytes === 0 && exchange.interims === 0) {
      return new Failure('keepalive_race', 'a reused connection ended before any response byte', {
        ...evidence,
        ...this.#options.idled?.(),
      });
    }
    return new Failure(
      'connection_reset',
      'the connection ended before the response head',
      evidence,
    );
  }

  #destroy(): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#transport.destroy();
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#transport.pause();
  }

  #unpause(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#transport.resume();
  }
}
