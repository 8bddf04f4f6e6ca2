import type { Timer } from '../../telemetry/clock.ts';

import type { PickInput } from '../balancer/picker.ts';
import type { Endpoint } from '../cluster/endpoint.ts';
import { Failure } from '../failure.ts';
import type { Requester, Responder } from '../message/exchange.ts';
import type { HeaderBlock, RequestHead, ResponseHead } from '../message/head.ts';
import { fixOf, localReply } from '../message/problem.ts';
import { backoffMs } from '../retry/backoff.ts';
import { retryAfterMs } from '../retry/retry-after.ts';
import type { Route } from '../route/route.ts';
import { Motion, type SilenceOwner } from '../route/silence.ts';
import type { Entry, Snapshot } from '../snapshot.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import { timeLeft } from './deadline.ts';
import { ExchangeRecord } from './exchange-record.ts';
import { peerRefusal } from './peer-refusal.ts';
import { bodyTooLarge, noEndpoint, noRoute, notResolved, tookTooLong } from './refusals.ts';
import { RequestBody } from './request-body.ts';
import {
  addForwarded,
  attemptHead,
  isStream,
  rewriteResponse,
  stripClaims,
  stripRequest,
} from './rewrite.ts';
import type { Scope } from './scope.ts';

/** Where an exchange stands; it moves down this list, and from `TRYING` back to `WAITING` for a retry. */
const WAITING = 0;
const TRYING = 1;
/** A final head has been passed on: no other attempt may follow. */
const COMMITTED = 2;
/** Both directions carry a tunnel's bytes; over when both have ended. */
const TUNNEL = 3;
const FINISHED = 4;

/**
 * One request and its response, from its head until its record is written. Read it from the top: `begin`
 * decides, `#attempt` sends, the `attempt…` methods take the answer, `#finish` records. Nothing turns back
 * but a retry.
 */
export class Exchange implements Responder, AttemptOwner, PickInput, SilenceOwner {
  readonly #scope: Scope;
  readonly #head: RequestHead;
  readonly #requester: Requester;
  readonly #entry: Entry;
  readonly #route: Route | null;
  readonly #body: RequestBody;
  readonly #motion: Motion;
  #state = WAITING;
  /** `begin` is running: the requester may not be called before it has returned. */
  #beginning = true;
  /** Counted in the cluster's limits. */
  #entered = false;
  #live: Attempt | null = null;
  #responseEnded = false;
  #deadlineMs = Number.POSITIVE_INFINITY;
  #retryReason: string | null = null;
  /** Runs out with the total time, and with that of the present attempt; most requests have neither. */
  #total: Timer | null = null;
  #try: Timer | null = null;
  /** Waits for the registry's first answer, or for a back-off to pass. */
  #pause: Timer | null = null;
  #stopHolding: (() => void) | null = null;

  readonly #record: ExchangeRecord;

  constructor(
    scope: Scope,
    snapshot: Snapshot,
    entry: Entry,
    head: RequestHead,
    requester: Requester,
  ) {
    this.#scope = scope;
    this.#head = head;
    this.#requester = requester;
    this.#entry = entry;
    const route = entry.table.match(head);
    this.#route = route;
    this.#body = new RequestBody(requester, route?.replayBytes ?? 0);
    this.#motion = new Motion(this);
    this.#record = new ExchangeRecord(scope, snapshot, entry, route, head, this.#body);
  }

  /** Decides what happens to the request and sends the first attempt; a refusal follows in a microtask. */
  begin(): void {
    const route = this.#route;
    this.#record.cells.begin(this.#head.method);
    if (route === null) this.#fail(noRoute(this.#head, this.#entry.table));
    else if ((this.#head.contentLength ?? 0) > route.maxBodyBytes) this.#fail(bodyTooLarge(route));
    else if (!route.cluster.limits.tryEnter()) this.#fail(route.cluster.limits.overflow());
    else {
      this.#entered = true;
      this.#prepare(route);
      this.#attempt(route);
    }
    this.#beginning = false;
  }

  #prepare(route: Route): void {
    const head = this.#head;
    if (!this.#entry.trustPlaintext && this.#scope.peer.identity === null) stripClaims(head);
    const callerLeftMs = timeLeft(head.headers.get('outrigger-timeout-ms'));
    const totalMs = Math.min(callerLeftMs, route.timeoutMs > 0 ? route.timeoutMs : callerLeftMs);
    if (totalMs !== Number.POSITIVE_INFINITY) {
      this.#deadlineMs = this.#record.startMs + totalMs;
      this.#total = this.#scope.clock.schedule(totalMs, () => this.#totalTimeOver());
    }
    route.silence.watch(this.#motion);
    stripRequest(head, route.direction);
    if (route.direction === 'inbound') addForwarded(head, this.#scope.peer);
  }

  // ---- what the downstream says ------------------------------------------------------------------

  data(bytes: Buffer): boolean {
    if (this.#state === FINISHED) return true;
    this.#motion.moves++;
    const room = this.#body.data(bytes);
    const route = this.#route;
    if (route !== null && this.#record.bytesIn > route.maxBodyBytes && this.#state !== TUNNEL) {
      this.#fail(bodyTooLarge(route));
    }
    return room;
  }

  end(trailers: HeaderBlock | null): void {
    if (this.#state === FINISHED) return;
    this.#body.end(trailers);
    if (this.#responseEnded) this.#finish(null);
  }

  /** The downstream is gone, or broke the protocol in mid-body. */
  abort(failure: Failure): void {
    if (this.#state === FINISHED) return;
    this.#cancelLive(failure);
    if (this.#record.status === 0) this.#record.status = failure.status;
    this.#finish(failure);
  }

  resume(): void {
    this.#live?.downstreamRoom();
  }

  get requestId(): string {
    return this.#record.requestId;
  }

  get traceId(): string {
    return this.#record.trace.traceId;
  }

  // ---- sending -----------------------------------------------------------------------------------

  #attempt(route: Route): void {
    const { cluster } = route;
    if (!cluster.resolved) {
      this.#holdForEndpoints(route);
      return;
    }
    const endpoint = cluster.pick(this);
    if (endpoint === null) {
      this.#fail(noEndpoint(cluster));
      return;
    }
    const { clock, propagation } = this.#scope;
    const first = this.#record.attempts.length === 0;
    const now = first && this.#beginning ? this.#record.startMs : clock.now();
    if (first) this.#record.queueMs = now - this.#record.startMs;
    const spanId =
      route.direction === 'inbound' ? this.#record.trace.spanId : propagation.nextSpanId();
    const attempt = new Attempt(this, endpoint, {
      spanId,
      startMs: now,
      lbReason: cluster.lastReason,
      candidates: cluster.usable,
      retryReason: this.#retryReason,
      timeLeftMs: this.#deadlineMs - now,
    });
    this.#record.addAttempt(attempt);
    this.#live = attempt;
    this.#state = TRYING;
    cluster.started(endpoint);
    if (route.perTryTimeoutMs > 0) {
      this.#try = clock.schedule(route.perTryTimeoutMs, () => this.#tryTimeOver(attempt));
    }
    const head = attemptHead(
      this.#head,
      this.#record.trace,
      attempt,
      this.#record.attempts.length,
      this.#record.ownRequestId,
      propagation,
    );
    this.#body.attach(attempt.send(head));
    if (this.#record.trace.sampled) attempt.sentMs = clock.now();
  }

  #holdForEndpoints(route: Route): void {
    this.#stopHolding = route.cluster.whenResolved(() => {
      this.#stopHolding = null;
      this.#pause?.cancel();
      if (route.cluster.resolved) this.#attempt(route);
      else this.#fail(notResolved(route));
    });
    this.#pause = this.#scope.clock.schedule(route.holdStartMs, () => {
      this.#fail(notResolved(route));
    });
  }

  /** PickInput: the request has been sent there already. */
  tried(endpoint: Endpoint): boolean {
    for (const attempt of this.#record.attempts) if (attempt.endpoint === endpoint) return true;
    return false;
  }

  /** PickInput: the attempt an endpoint is chosen for, from 1. */
  get attempt(): number {
    return this.#record.attempts.length + 1;
  }

  // ---- what the upstream says --------------------------------------------------------------------

  attemptInterim(attempt: Attempt, head: ResponseHead): void {
    if (attempt !== this.#live) return;
    this.#motion.moves++;
    this.#requester.head(head);
  }

  attemptHead(attempt: Attempt, head: ResponseHead): void {
    if (attempt !== this.#live) return;
    this.#motion.moves++;
    const route = this.#route as Route;
    if (head.status >= 400 && this.#retriesStatus(route, attempt, head)) return;
    this.#try?.cancel();
    route.cluster.answered(attempt.endpoint, head.status);
    this.#record.headMs = this.#scope.clock.now();
    this.#record.status = head.status;
    this.#body.release();
    const tunnel = head.status === 101 || (this.#head.method === 'CONNECT' && head.status < 300);
    this.#state = tunnel ? TUNNEL : COMMITTED;
    if (tunnel || isStream(head)) this.#total?.cancel();
    rewriteResponse(head, route.direction, this.#record.requestId);
    this.#requester.head(head);
    if (this.#record.trace.sampled) this.#record.answeredMs = this.#scope.clock.now();
  }

  attemptData(attempt: Attempt, bytes: Buffer): boolean {
    if (attempt !== this.#live) return true;
    this.#motion.moves++;
    this.#record.bytesOut += bytes.length;
    return this.#requester.data(bytes);
  }

  attemptEnd(attempt: Attempt, trailers: HeaderBlock | null): void {
    if (attempt !== this.#live) return;
    this.#responseEnded = true;
    this.#requester.end(trailers);
    if (this.#state !== TUNNEL || this.#body.ended) this.#finish(null);
  }

  attemptFailed(attempt: Attempt, failure: Failure): void {
    if (attempt !== this.#live) return;
    if (this.#state === TRYING && this.#retriesFailure(attempt, failure)) return;
    this.#fail(failure);
  }

  attemptRoom(attempt: Attempt): void {
    if (attempt === this.#live) this.#body.room();
  }

  // ---- trying again ------------------------------------------------------------------------------

  #retriesStatus(route: Route, attempt: Attempt, head: ResponseHead): boolean {
    const refusal = peerRefusal(attempt.endpoint.spec, head);
    if (refusal === null && !route.retries.retriesStatus(head.status)) return false;
    const waitMs = retryAfterMs(head.headers.get('retry-after'), this.#scope.clock.wallTime());
    if (!this.#mayRetry(route, attempt, refusal, head.status, waitMs)) return false;
    // A response that is read to its end leaves the connection usable; an unfinished request does not.
    if (this.#body.ended || this.#head.ended) attempt.supersede();
    else attempt.cancel(TRYING_ELSEWHERE);
    this.#endAttempt(route, attempt, null, this.#scope.clock.now());
    this.#pauseThenAttempt(route, refusal?.code ?? String(head.status), waitMs);
    return true;
  }

  #retriesFailure(attempt: Attempt, failure: Failure): boolean {
    const route = this.#route as Route;
    if (!this.#mayRetry(route, attempt, failure, 0, null)) return false;
    this.#endAttempt(route, attempt, failure, this.#scope.clock.now());
    this.#pauseThenAttempt(route, failure.code, null);
    return true;
  }

  #mayRetry(
    route: Route,
    attempt: Attempt,
    failure: Failure | null,
    status: number,
    askedMs: number | null,
  ): boolean {
    const { cluster } = route;
    const denied = route.retries.decide({
      failure,
      status,
      method: this.#head.method,
      idempotencyKey: this.#head.headers.get('idempotency-key') !== null,
      replayable: this.#body.replayable,
      attempt: this.#record.attempts.length,
      headSent: this.#state >= COMMITTED,
      timeLeftMs: this.#deadlineMs - this.#scope.clock.now(),
      typicalMs: cluster.latency.quantile(0.5) ?? 0,
      panic: cluster.panic,
      nested: isRetry(this.#head.headers.get('outrigger-attempt')),
      retryAfterMs: askedMs,
      budget: cluster.budget,
    });
    attempt.budgetRemaining = cluster.budget.tokens;
    attempt.retryDenied = denied === 'final' ? null : denied;
    cluster.retryDecided(denied);
    return denied === null;
  }

  #pauseThenAttempt(route: Route, reason: string, askedMs: number | null): void {
    this.#live = null;
    this.#state = WAITING;
    this.#retryReason = reason;
    this.#try?.cancel();
    this.#body.detach();
    const { clock } = this.#scope;
    const waitMs = backoffMs(route.retries.options, this.#record.attempts.length, askedMs, clock);
    if (waitMs < 1) this.#attempt(route);
    else this.#pause = clock.schedule(waitMs, () => this.#attempt(route));
  }

  // ---- running out of time -----------------------------------------------------------------------

  #totalTimeOver(): void {
    const route = this.#route as Route;
    this.#fail(tookTooLong(route, this.#deadlineMs - this.#record.startMs, this.#live));
  }

  #tryTimeOver(attempt: Attempt): void {
    if (attempt !== this.#live) return;
    const route = this.#route as Route;
    const failure = new Failure(
      'per_try_timeout',
      `no response head in ${route.perTryTimeoutMs} ms from ${attempt.address}:${attempt.port}`,
      { per_try_timeout_ms: route.perTryTimeoutMs, endpoint: `${attempt.address}:${attempt.port}` },
    );
    attempt.cancel(failure);
    this.attemptFailed(attempt, failure);
  }

  silentForTooLong(): void {
    const idleTimeoutMs = (this.#route as Route).silence.ms;
    this.#fail(
      new Failure('stream_idle_timeout', `no byte either way for ${idleTimeoutMs} ms`, {
        idle_timeout_ms: idleTimeoutMs,
      }),
    );
  }

  // ---- the end -----------------------------------------------------------------------------------

  /** Answers with the failure, or breaks the message off where a final head is out already. */
  #fail(failure: Failure): void {
    if (this.#state === FINISHED) return;
    if (this.#beginning) {
      queueMicrotask(() => this.#fail(failure));
      return;
    }
    this.#cancelLive(failure);
    if (this.#state >= COMMITTED) {
      this.#requester.abort(failure);
      this.#finish(failure);
      return;
    }
    const reply = localReply(failure, {
      traceId: this.traceId,
      requestId: this.requestId,
      service: this.#record.service,
      full: this.#entry.direction === 'outbound',
    });
    this.#record.status = failure.status;
    this.#record.headMs = this.#scope.clock.now();
    this.#state = COMMITTED;
    this.#requester.head(reply.head);
    this.#requester.data(reply.body);
    this.#requester.end(null);
    this.#finish(failure);
  }

  #cancelLive(failure: Failure): void {
    this.#pause?.cancel();
    this.#stopHolding?.();
    this.#live?.cancel(failure);
  }

  #finish(failure: Failure | null): void {
    const route = this.#route;
    this.#total?.cancel();
    this.#try?.cancel();
    this.#motion.end();
    this.#pause?.cancel();
    this.#record.endMs = this.#scope.clock.now();
    if (failure !== null) {
      this.#record.code = failure.code;
      this.#record.detail = failure.detail;
      this.#record.fix = fixOf(failure, this.#record.service);
      this.#record.flags = this.#record.attempts.length > 1 ? `${failure.flag},URX` : failure.flag;
    } else if (this.#record.attempts.length > 1 && this.#record.attempts.at(-1)?.retryDenied)
      this.#record.flags = 'URX';
    this.#state = FINISHED;
    if (route !== null) {
      if (this.#live !== null) this.#endAttempt(route, this.#live, failure, this.#record.endMs);
      if (this.#entered) {
        route.cluster.limits.leave();
        route.cluster.finished(
          this.#record.endMs - this.#record.startMs,
          this.#record.status,
          failure,
          this.#record.endMs,
        );
      }
    }
    // A superseded response that has not ended by now has no clock of its own: it would keep its connection.
    const { attempts } = this.#record;
    for (let i = 0; i < attempts.length - 1; i++) attempts[i]?.cancel(TRYING_ELSEWHERE);
    this.#live = null;
    this.#body.detach();
    this.#body.release();
    this.#scope.recorder.record(this.#record);
  }

  #endAttempt(route: Route, attempt: Attempt, failure: Failure | null, now: number): void {
    attempt.endMs = now;
    attempt.code = failure === null ? null : failure.code;
    route.cluster.ended(attempt.endpoint, {
      status: attempt.status,
      failure,
      durationMs: attempt.endMs - attempt.startMs,
    });
    if (failure === null && !attempt.superseded) attempt.close();
  }
}

const TRYING_ELSEWHERE = new Failure('downstream_closed', 'another attempt takes over');

/** The request is itself a retry of a caller further up, whose budget is the one that counts. */
function isRetry(attempt: string | null): boolean {
  return attempt !== null && attempt !== '1';
}
