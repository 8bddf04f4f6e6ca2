import type { Clock } from '../../telemetry/clock.ts';
import { Failure, type FailureCode } from '../failure.ts';
import { Http1ClientConnection } from '../http1/client.ts';
import type { Http1Limits } from '../http1/limits.ts';
import type { Requester } from '../message/exchange.ts';
import type { RequestHead } from '../message/head.ts';
import { type Connecting, connectTcp } from '../transport/connect.ts';
import { HostName } from '../transport/host-name.ts';
import { raiseBug } from '../transport/raise-bug.ts';
import type { ReadMode, TcpTransport } from '../transport/tcp.ts';
import { IdleConnections } from './idle-connections.ts';
import type { Upstream, UpstreamResponder, UpstreamStats } from './upstream.ts';
import { WaitingExchange } from './waiting-exchange.ts';
import { WaitingQueue } from './waiting-queue.ts';

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

/** A reused connection that closes this soon was closed before the request arrived, after a pause this long. */
const RACE_MS = 50;
const RACE_IDLE_MS = 1000;

/** A connection of the pool and where it is in its life. */
interface Member {
  readonly connection: Http1ClientConnection;
  readonly transport: TcpTransport;
  readonly retireMs: number;
  idle: boolean;
  /** Closed by the pool: no longer counted. */
  retired: boolean;
  /** When it became idle, and how long it had been so when its exchange began. */
  idleSinceMs: number;
  idledMs: number;
  startedMs: number;
}

/**
 * The HTTP/1.1 connections to one address. Exchanges that find no idle one wait, each for a connection being
 * opened or, at `maxConnections`, for one to become idle. What fails before a byte was sent fails with a code
 * that can always be retried, limits excepted.
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
  readonly #maxWaiting: number;
  readonly #connectTimeoutMs: number;
  readonly #queueTimeoutMs: number;
  readonly #host: HostName;
  readonly #members = new Set<Member>();
  readonly #idle: IdleConnections<Member>;
  readonly #connecting: Connecting[] = [];
  readonly #waiting: WaitingQueue;
  #closed = false;

  constructor(options: Http1PoolOptions) {
    const { address, clock } = options;
    this.#options = options;
    this.#clock = clock;
    this.#maxConnections = options.maxConnections ?? 1024;
    this.#maxWaiting = options.maxWaiting ?? 128;
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 1000;
    this.#queueTimeoutMs = options.queueTimeoutMs ?? 1000;
    this.#host = new HostName(address, clock, this.#connectTimeoutMs);
    this.#idle = new IdleConnections(clock, (member) => this.#retire(member));
    this.#waiting = new WaitingQueue(
      clock,
      this.#queueTimeoutMs,
      () => this.#connecting.length,
      (exchange, waitedMs) => this.#expire(exchange, waitedMs),
    );
  }

  open(head: RequestHead, requester: Requester, fresh = false): UpstreamResponder {
    const nowMs = this.#clock.now();
    // Where there is no room for another connection, a used one has to do.
    const onlyFresh = fresh && this.#hasRoom;
    if (!this.#closed && !onlyFresh) {
      const member = this.#idle.take(nowMs);
      if (member !== null) {
        this.#begin(member, nowMs);
        return member.connection.open(head, requester);
      }
    }
    const exchange = new WaitingExchange(head, requester, nowMs, onlyFresh, this.#onAbandoned);
    const refusal = this.#refusal();
    // Told later: `open` has to return first.
    if (refusal !== null) queueMicrotask(() => exchange.fail(refusal));
    else {
      this.#waiting.add(exchange);
      this.stats.waiting++;
      this.#provide();
    }
    return exchange;
  }

  close(): void {
    this.#closed = true;
    this.#idle.retireAll();
    this.#cancelSurplus();
  }

  /** Why no exchange can wait now, or null. */
  #refusal(): Failure | null {
    const where = { address: this.#options.address, port: this.#options.port };
    if (this.#closed)
      return new Failure('connection_refused', 'the endpoint has left its service', where);
    if (this.#hasRoom || this.#waiting.surplus < this.#maxWaiting) return null;
    return new Failure(
      'overflow',
      `${this.#waiting.surplus} requests wait for a connection to ${where.address}:${where.port}, limits.maxWaiting is ${this.#maxWaiting}`,
      {
        ...where,
        limit: 'maxWaiting',
        value: this.#maxWaiting,
        key: 'limits.maxWaiting',
        connections: this.#members.size,
        max_connections: this.#maxConnections,
      },
    );
  }

  get #hasRoom(): boolean {
    return this.#members.size + this.#connecting.length < this.#maxConnections;
  }

  /** Opens connections for waiting exchanges as far as the limit allows, and watches the wait of the others. */
  #provide(): void {
    while (this.#waiting.surplus > 0 && this.#hasRoom) this.#connect();
    this.#waiting.arm();
  }

  #connect(): void {
    let inner: Connecting | null = null;
    let cancelled = false;
    const attempt: Connecting = {
      cancel: () => {
        cancelled = true;
        inner?.cancel();
      },
    };
    const { clock, port, onBug = raiseBug, readMode = 'shared' } = this.#options;
    const timeoutMs = this.#connectTimeoutMs;
    const dial = (address: string | Failure): void => {
      if (cancelled) return;
      if (address instanceof Failure) this.#connected(attempt, address);
      else {
        inner = connectTcp({ address, port, timeoutMs, clock, onBug, readMode }, (result) =>
          this.#connected(attempt, result),
        );
      }
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
      const exchange = this.#nextWaiting(false);
      this.#provide();
      exchange?.fail(this.#renamed(result));
      return;
    }
    this.stats.opened++;
    const member = this.#join(result);
    result.attach(member.connection);
    this.#serveNext(member, this.#clock.now());
  }

  #join(transport: TcpTransport): Member {
    const nowMs = this.#clock.now();
    const { maxAgeMs = Number.POSITIVE_INFINITY, ageJitter = 0.1, clock, limits } = this.#options;
    const connection = new Http1ClientConnection(transport, {
      limits,
      clock,
      idle: () => this.#onIdle(member),
      idled: () => ({
        idle_ms: Math.round(member.idledMs),
        learned_idle_ms: this.stats.learnedIdleMs,
      }),
      closed: () => this.#onClosed(member),
    });
    const member: Member = {
      connection,
      transport,
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

  #begin(member: Member, nowMs: number): void {
    if (member.idle) this.stats.idle--;
    member.idle = false;
    member.idledMs = nowMs - member.idleSinceMs;
    member.startedMs = nowMs;
    this.stats.active++;
  }

  /** The exchange on it is over and the connection can carry another. */
  #onIdle(member: Member): void {
    this.stats.active--;
    const nowMs = this.#clock.now();
    const announcedMs = member.connection.keepAliveMs;
    if (announcedMs !== null) {
      this.#idle.announced(announcedMs, nowMs);
      this.stats.learnedIdleMs = this.#idle.learnedMs;
    }
    if (nowMs < member.retireMs) this.#serveNext(member, nowMs);
    else {
      this.#retire(member);
      this.#provide();
    }
  }

  /** Gives a free connection to the exchange that waits longest, or keeps it. */
  #serveNext(member: Member, nowMs: number): void {
    const exchange = this.#nextWaiting(member.connection.requests > 0);
    if (exchange !== null) {
      this.#begin(member, nowMs);
      exchange.start(member.connection);
    } else if (this.#closed) this.#retire(member);
    else {
      member.idle = true;
      member.idleSinceMs = nowMs;
      this.stats.idle++;
      this.#idle.push(member, nowMs);
    }
  }

  /** Closes a connection that carries no exchange; it is no longer among the idle ones. */
  #retire(member: Member): void {
    member.retired = true;
    this.#members.delete(member);
    if (member.idle) this.stats.idle--;
    member.connection.destroy();
  }

  #onClosed(member: Member): void {
    if (!member.retired) {
      this.#members.delete(member);
      const nowMs = this.#clock.now();
      let idleMs = nowMs - member.idleSinceMs;
      if (member.idle) {
        this.stats.idle--;
        this.#idle.remove(member);
      } else {
        this.stats.active--;
        const raced = nowMs - member.startedMs < RACE_MS && member.idledMs >= RACE_IDLE_MS;
        idleMs = raced ? member.idledMs : 0;
      }
      if (member.transport.endedByPeer) {
        this.#idle.closedIdle(idleMs, nowMs);
        this.stats.learnedIdleMs = this.#idle.learnedMs;
      }
    }
    this.#provide();
  }

  #nextWaiting(used: boolean): WaitingExchange | null {
    const exchange = this.#waiting.take(used);
    this.stats.waiting = this.#waiting.size;
    return exchange;
  }

  readonly #onAbandoned = (exchange: WaitingExchange): void => {
    this.#waiting.remove(exchange);
    this.stats.waiting = this.#waiting.size;
    this.#cancelSurplus();
  };

  #expire(exchange: WaitingExchange, waitedMs: number): void {
    this.stats.waiting = this.#waiting.size;
    const { address, port } = this.#options;
    exchange.fail(
      new Failure(
        'queue_timeout',
        `no connection to ${address}:${port} became free in ${this.#queueTimeoutMs} ms`,
        {
          address,
          port,
          waited_ms: Math.round(waitedMs),
          limit: 'queueTimeoutMs',
          value: this.#queueTimeoutMs,
          key: 'limits.queueTimeoutMs',
          max_connections: this.#maxConnections,
        },
      ),
    );
  }

  /** Connections being opened for nobody give their place back. */
  #cancelSurplus(): void {
    while (this.#waiting.surplus < 0) {
      this.#connecting.pop()?.cancel();
      this.stats.connecting--;
    }
  }

  #renamed(failure: Failure): Failure {
    const { refusedCode } = this.#options;
    if (failure.code !== 'connection_refused' || refusedCode === undefined) return failure;
    return new Failure(refusedCode, failure.detail, failure.evidence);
  }
}
