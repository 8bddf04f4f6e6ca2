import type { Clock, Timer } from '../../telemetry/clock.ts';
import { Failure, type FailureCode } from '../failure.ts';
import { Http1ClientConnection } from '../http1/client.ts';
import type { Http1Limits } from '../http1/limits.ts';
import type { Requester } from '../message/exchange.ts';
import type { RequestHead } from '../message/head.ts';
import { type Connecting, connectTcp } from '../transport/connect.ts';
import { HostName } from '../transport/host-name.ts';
import { raiseBug } from '../transport/raise-bug.ts';
import type { ReadMode, TcpTransport } from '../transport/tcp.ts';
import { KeepAliveEstimate } from './keep-alive.ts';
import type { Upstream, UpstreamResponder, UpstreamStats } from './upstream.ts';
import { WaitingExchange } from './waiting-exchange.ts';

export interface Http1PoolOptions {
  /** IPv4, IPv6 without brackets, or a name that is resolved when connecting. */
  readonly address: string;
  readonly port: number;
  readonly clock: Clock;
  readonly limits: Http1Limits;
  readonly connectTimeoutMs?: number;
  /** Connections, open and being opened; above it exchanges wait. */
  readonly maxConnections?: number;
  /** Exchanges that may wait while the pool is at `maxConnections`; above it `overflow`. */
  readonly maxWaiting?: number;
  /** Longest wait for one of those connections; then `queue_timeout`. */
  readonly queueTimeoutMs?: number;
  /** Age at which a connection carries no further exchange. Default: none. */
  readonly maxAgeMs?: number;
  /** Share of `maxAgeMs` by which it is shortened at random, so that connections do not end together. Default 0.1. */
  readonly ageJitter?: number;
  /** Code of a refused connection: `app_unreachable` towards the local application. */
  readonly refusedCode?: FailureCode;
  readonly onBug?: (error: unknown) => void;
  readonly readMode?: ReadMode;
}

/** Shortest pause between two sweeps of the idle connections. */
const MIN_SWEEP_MS = 100;

/** A reused connection that closes this soon was closed before the request arrived, after a pause this long. */
const RACE_MS = 50;
const RACE_IDLE_MS = 1000;

/** A connection of the pool and where it is in its life. */
interface Member {
  readonly connection: Http1ClientConnection;
  readonly transport: TcpTransport;
  readonly openedMs: number;
  readonly retireMs: number;
  idle: boolean;
  /** Closed by us: says nothing about the peer. */
  retired: boolean;
  /** When it became idle, and how long it had been so when its exchange began. */
  idleSinceMs: number;
  idledMs: number;
  startedMs: number;
}

/**
 * The HTTP/1.1 connections to one address. The connection that became idle last is reused first, so that
 * surplus ones grow old and are retired before the peer's own keep-alive limit. Exchanges that find none
 * wait, each for a connection being opened or, at `maxConnections`, for one to become idle.
 */
export class Http1Pool implements Upstream {
  readonly stats: UpstreamStats = {
    active: 0,
    idle: 0,
    connecting: 0,
    opened: 0,
    waiting: 0,
    learnedIdleMs: null,
  };
  readonly #options: Http1PoolOptions;
  readonly #clock: Clock;
  readonly #maxConnections: number;
  readonly #connectTimeoutMs: number;
  readonly #queueTimeoutMs: number;
  readonly #host: HostName;
  readonly #keepAlive = new KeepAliveEstimate();
  readonly #members = new Set<Member>();
  /** Longest idle first. */
  readonly #idle: Member[] = [];
  readonly #connecting: Connecting[] = [];
  readonly #waiting = new Set<WaitingExchange>();
  #sweep: Timer | null = null;
  #queueTimer: Timer | null = null;
  #closed = false;

  constructor(options: Http1PoolOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#maxConnections = options.maxConnections ?? 1024;
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 1000;
    this.#queueTimeoutMs = options.queueTimeoutMs ?? 1000;
    this.#host = new HostName(options.address, options.clock, this.#connectTimeoutMs);
  }

  open(head: RequestHead, requester: Requester): UpstreamResponder {
    const nowMs = this.#clock.now();
    const exchange = new WaitingExchange(head, requester, nowMs, this.#onAbandoned);
    if (this.#closed) return this.#refuse(exchange, this.#closedFailure());
    const member = this.#takeIdle(nowMs);
    if (member !== null) {
      this.#begin(member, nowMs);
      return member.connection.open(head, requester);
    }
    const room = this.#members.size + this.#connecting.length < this.#maxConnections;
    const { maxWaiting = 128 } = this.#options;
    if (!room && this.#waiting.size - this.#connecting.length >= maxWaiting)
      return this.#refuse(exchange, this.#overflow(maxWaiting));
    this.#waiting.add(exchange);
    this.stats.waiting++;
    this.#provide();
    return exchange;
  }

  close(): void {
    this.#closed = true;
    for (const member of this.#idle.splice(0)) this.#retire(member);
    this.#sweep?.cancel();
    this.#sweep = null;
    this.#cancelSurplus();
  }

  /** The idle connection used last, unless the peer may be about to close it. */
  #takeIdle(nowMs: number): Member | null {
    const limitMs = this.#keepAlive.limitMs(nowMs);
    for (;;) {
      const member = this.#idle.pop();
      if (member === undefined) return null;
      // The peer has just closed it, and `closed` is still to come.
      if (member.transport.over) continue;
      if (nowMs - member.idleSinceMs < limitMs && nowMs < member.retireMs) return member;
      this.#retire(member);
    }
  }

  #begin(member: Member, nowMs: number): void {
    if (member.idle) this.stats.idle--;
    member.idle = false;
    member.idledMs = nowMs - member.idleSinceMs;
    member.startedMs = nowMs;
    this.stats.active++;
  }

  /** Opens connections for waiting exchanges as far as the limit allows, and watches the wait of the others. */
  #provide(): void {
    while (
      this.#waiting.size > this.#connecting.length &&
      this.#members.size + this.#connecting.length < this.#maxConnections
    )
      this.#connect();
    if (this.#queueTimer !== null || this.#waiting.size <= this.#connecting.length) return;
    const oldest = this.#waiting.values().next().value as WaitingExchange;
    const dueMs = oldest.sinceMs + this.#queueTimeoutMs;
    this.#queueTimer = this.#clock.schedule(
      Math.max(1, dueMs - this.#clock.now()),
      this.#onQueueTimer,
    );
  }

  readonly #onQueueTimer = (): void => {
    this.#queueTimer = null;
    const { maxWaiting = 128 } = this.#options;
    const nowMs = this.#clock.now();
    // Those for whom a connection is being opened are bounded by the connect timeout.
    let surplus = this.#waiting.size - this.#connecting.length;
    for (const exchange of this.#waiting) {
      if (surplus-- <= 0 || nowMs - exchange.sinceMs < this.#queueTimeoutMs) break;
      this.#leave(exchange);
      exchange.fail(
        new Failure('queue_timeout', '', {
          ...this.#where(),
          waitedMs: Math.round(nowMs - exchange.sinceMs),
          limit: 'queueTimeoutMs',
          value: this.#queueTimeoutMs,
          key: 'limits.queueTimeoutMs',
          maxConnections: this.#maxConnections,
          maxWaiting,
        }),
      );
    }
    this.#provide();
  };

  #connect(): void {
    let inner: Connecting | null = null;
    let cancelled = false;
    const attempt: Connecting = {
      cancel: () => {
        cancelled = true;
        inner?.cancel();
      },
    };
    const { clock, port, onBug = raiseBug, readMode } = this.#options;
    const dial = (address: string | Failure): void => {
      if (cancelled) return;
      if (address instanceof Failure) {
        this.#connected(attempt, address);
        return;
      }
      inner = connectTcp(
        {
          address,
          port,
          timeoutMs: this.#connectTimeoutMs,
          clock,
          onBug,
          ...(readMode === undefined ? {} : { readMode }),
        },
        (result) => this.#connected(attempt, result),
      );
    };
    this.#connecting.push(attempt);
    this.stats.connecting++;
    const known = this.#host.known();
    if (known === null) this.#host.resolve(dial);
    else dial(known);
  }

  #connected(attempt: Connecting, result: TcpTransport | Failure): void {
    this.#connecting.splice(this.#connecting.indexOf(attempt), 1);
    this.stats.connecting--;
    if (result instanceof Failure) {
      const exchange = this.#nextWaiting();
      this.#provide();
      exchange?.fail(this.#renamed(result));
      return;
    }
    this.stats.opened++;
    const member = this.#join(result);
    result.attach(member.connection);
    this.#serveNext(member, member.openedMs);
  }

  #join(transport: TcpTransport): Member {
    const nowMs = this.#clock.now();
    const { maxAgeMs = Number.POSITIVE_INFINITY, ageJitter = 0.1, clock, limits } = this.#options;
    const connection = new Http1ClientConnection(transport, {
      limits,
      clock,
      idle: () => this.#onIdle(member),
      closed: () => this.#onClosed(member),
    });
    const member: Member = {
      connection,
      transport,
      openedMs: nowMs,
      retireMs: nowMs + maxAgeMs * (1 - ageJitter * clock.random()),
      idle: false,
      retired: false,
      idleSinceMs: nowMs,
      idledMs: 0,
      startedMs: nowMs,
    };
    this.#members.add(member);
    return member;
  }

  /** The exchange on it is over and the connection can carry another. */
  #onIdle(member: Member): void {
    this.stats.active--;
    const nowMs = this.#clock.now();
    const announced = member.connection.keepAliveMs;
    if (announced !== null) {
      this.#keepAlive.announced(announced);
      this.#relearn(nowMs);
    }
    if (nowMs >= member.retireMs) {
      this.#retire(member);
      this.#provide();
    } else this.#serveNext(member, nowMs);
  }

  /** Gives a free connection to the exchange that waits longest, or keeps it. */
  #serveNext(member: Member, nowMs: number): void {
    const exchange = this.#nextWaiting();
    if (exchange !== null) {
      this.#begin(member, nowMs);
      exchange.start(member.connection);
    } else {
      if (this.#closed) {
        this.#retire(member);
        return;
      }
      member.idle = true;
      member.idleSinceMs = nowMs;
      this.stats.idle++;
      this.#idle.push(member);
      this.#armSweep(nowMs);
    }
  }

  #onClosed(member: Member): void {
    if (!member.retired) {
      this.#members.delete(member);
      const nowMs = this.#clock.now();
      const byPeer = member.transport.endedByPeer;
      if (member.idle) {
        this.stats.idle--;
        const at = this.#idle.indexOf(member);
        if (at >= 0) this.#idle.splice(at, 1);
        if (byPeer) this.#learn(nowMs - member.idleSinceMs, nowMs);
      } else {
        this.stats.active--;
        if (byPeer && nowMs - member.startedMs < RACE_MS && member.idledMs >= RACE_IDLE_MS)
          this.#learn(member.idledMs, nowMs);
      }
    }
    this.#provide();
  }

  #learn(idleMs: number, nowMs: number): void {
    this.#keepAlive.closedIdle(idleMs, nowMs);
    this.#relearn(nowMs);
  }

  #relearn(nowMs: number): void {
    const learned = this.#keepAlive.learnedMs(nowMs);
    if (learned === this.stats.learnedIdleMs) return;
    this.stats.learnedIdleMs = learned;
    this.#sweep?.cancel();
    this.#sweep = null;
    this.#armSweep(nowMs);
  }

  /** Closes a connection that carries no exchange; the caller has taken it out of `#idle`. */
  #retire(member: Member): void {
    member.retired = true;
    this.#members.delete(member);
    if (member.idle) this.stats.idle--;
    member.connection.destroy();
  }

  #armSweep(nowMs: number): void {
    const oldest = this.#idle[0];
    if (this.#sweep !== null || oldest === undefined) return;
    const dueMs = oldest.idleSinceMs + this.#keepAlive.limitMs(nowMs);
    this.#sweep = this.#clock.schedule(Math.max(MIN_SWEEP_MS, dueMs - nowMs), this.#onSweep);
  }

  readonly #onSweep = (): void => {
    this.#sweep = null;
    const nowMs = this.#clock.now();
    const limitMs = this.#keepAlive.limitMs(nowMs);
    let expired = 0;
    for (const member of this.#idle) {
      if (nowMs - member.idleSinceMs < limitMs && nowMs < member.retireMs) break;
      expired++;
    }
    for (const member of this.#idle.splice(0, expired)) this.#retire(member);
    this.#armSweep(nowMs);
  };

  #nextWaiting(): WaitingExchange | null {
    const exchange = this.#waiting.values().next().value;
    if (exchange === undefined) return null;
    this.#leave(exchange);
    return exchange;
  }

  #leave(exchange: WaitingExchange): void {
    this.#waiting.delete(exchange);
    this.stats.waiting--;
  }

  readonly #onAbandoned = (exchange: WaitingExchange): void => {
    if (!this.#waiting.has(exchange)) return;
    this.#leave(exchange);
    this.#cancelSurplus();
  };

  /** Connections being opened for nobody give their place back. */
  #cancelSurplus(): void {
    while (this.#connecting.length > this.#waiting.size) {
      this.#connecting.pop()?.cancel();
      this.stats.connecting--;
    }
  }

  /** Tells the requester later: `open` has to return first. */
  #refuse(exchange: WaitingExchange, failure: Failure): WaitingExchange {
    queueMicrotask(() => exchange.fail(failure));
    return exchange;
  }

  #overflow(maxWaiting: number): Failure {
    return new Failure('overflow', '', {
      ...this.#where(),
      limit: 'maxWaiting',
      value: maxWaiting,
      key: 'limits.maxWaiting',
      connections: this.#members.size,
      maxConnections: this.#maxConnections,
    });
  }

  #closedFailure(): Failure {
    return new Failure('connection_refused', 'the endpoint has left its service', this.#where());
  }

  #renamed(failure: Failure): Failure {
    const { refusedCode } = this.#options;
    if (failure.code !== 'connection_refused' || refusedCode === undefined) return failure;
    return new Failure(refusedCode, failure.detail, failure.evidence);
  }

  #where(): { readonly address: string; readonly port: number } {
    return { address: this.#options.address, port: this.#options.port };
  }
}
