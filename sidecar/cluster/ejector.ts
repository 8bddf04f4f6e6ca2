import type { Clock, Timer } from '../../telemetry/clock.ts';
import type { PickInput } from '../balancer/picker.ts';
import { maxEjections } from './ejection-cap.ts';
import {
  type Detector,
  EjectionLedger,
  type EjectionOutcome,
  type LedgerEntry,
} from './ejection-ledger.ts';
import { EjectionTimes } from './ejection-times.ts';
import type { Endpoint } from './endpoint.ts';
import type { Verdict } from './outcome.ts';

/** Outlier detection; a threshold of 0 turns its detector off. */
export interface EjectorOptions {
  readonly consecutive5xx: number;
  readonly consecutiveGateway: number;
  readonly consecutiveLocalOrigin: number;
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  /** Share of the members, 0–1; at 0 detectors watch and nothing is ejected. */
  readonly maxEjectedShare: number;
  /** How often the ends of ejections are looked at. */
  readonly intervalMs: number;
}

/** The cluster, as its ejector sees it. */
export interface EjectorHost {
  readonly members: readonly Endpoint[];
  /** The usable set has lost this endpoint. */
  ejected(endpoint: Endpoint): void;
  /** A trial went well: the endpoint is to be used again, gently. */
  returned(endpoint: Endpoint): void;
}

/** Weight of the newest answer in an endpoint's error rate. */
const ERROR_WEIGHT = 0.1;
/** A peer above this error rate is failing; when most are, the fault is not the endpoint's. */
const FAILING = 0.3;
/** A trial that has said nothing for so long does not keep others from being sent. */
const TRIAL_PATIENCE_MS = 10_000;

/**
 * Takes endpoints out after failures in a row and lets them back by a single trial request. Decides on
 * recorded outcomes only: a change rebuilds the picker, which never looks here (`balancing.md` §4).
 */
export class Ejector {
  readonly ledger = new EjectionLedger();
  /** Called with every decision, for the process log. */
  onDecision: ((entry: LedgerEntry) => void) | null = null;
  #options: EjectorOptions | null;
  readonly #clock: Clock;
  readonly #host: EjectorHost;
  readonly #times: EjectionTimes;
  /** Endpoints whose ejection is over and whose trial is due or under way. */
  readonly #trials: Endpoint[] = [];
  readonly #trialSentAt = new Map<Endpoint, number>();
  /** When an endpoint's last capped decision was noted, so that a storm does not fill the ledger. */
  readonly #cappedAt = new Map<Endpoint, number>();
  /** Detector of the running ejection. */
  readonly #running = new Map<Endpoint, Detector>();
  #sweep: Timer | null = null;

  /** `options` null: records nothing, ejects nobody. */
  constructor(options: EjectorOptions | null, clock: Clock, host: EjectorHost) {
    this.#options = options;
    this.#clock = clock;
    this.#host = host;
    this.#times = new EjectionTimes(clock);
  }

  /** Endpoints that are out at present, trials included. */
  get ejected(): number {
    return this.#running.size;
  }

  /** A trial is due or under way: `takeTrial` is worth asking. */
  get trialsOpen(): boolean {
    return this.#trials.length > 0;
  }

  /** Takes note of how an attempt ended. */
  record(endpoint: Endpoint, verdict: Verdict): void {
    const options = this.#options;
    if (options === null) return;
    if (endpoint.ejectedUntil > 0) {
      this.#judgeTrial(endpoint, verdict, options);
      return;
    }
    if (verdict === 'none') return;
    const failed = verdict === 'ok' ? 0 : 1;
    endpoint.errorRate += ERROR_WEIGHT * (failed - endpoint.errorRate);
    const { streak } = endpoint;
    streak.serverErrors = failed === 0 ? 0 : streak.serverErrors + 1;
    streak.gatewayErrors =
      verdict === 'ok' || verdict === 'server_error' ? 0 : streak.gatewayErrors + 1;
    streak.localFailures =
      verdict === 'local' || verdict === 'refused' ? streak.localFailures + 1 : 0;
    if (failed === 1) this.#detect(endpoint, verdict, options);
  }

  /**
   * An endpoint that this request is to try out, or null. At most one request at a time goes to it.
   * `zone`: only there; null for anywhere.
   */
  takeTrial(input: PickInput, zone: string | null): Endpoint | null {
    const now = this.#clock.now();
    for (let index = 0; index < this.#trials.length; index++) {
      const endpoint = this.#trials[index] as Endpoint;
      const { spec } = endpoint;
      if (spec.health !== 'passing' || spec.weight === 0) continue;
      if (zone !== null && spec.zone !== zone) continue;
      if (endpoint.trial === 'sent' && now < this.#patienceEnds(endpoint)) continue;
      if (input.tried(endpoint)) continue;
      endpoint.trial = 'sent';
      this.#trialSentAt.set(endpoint, now);
      return endpoint;
    }
    return null;
  }

  /** Ends an ejection early, for a trial at once: its health check has just begun to pass. */
  pardon(endpoint: Endpoint): void {
    if (endpoint.ejectedUntil > 0 && endpoint.trial === 'none') this.#openTrial(endpoint);
  }

  /** The endpoint has left the cluster. */
  forget(endpoint: Endpoint): void {
    this.#clear(endpoint);
    this.#cappedAt.delete(endpoint);
    this.#times.forget(endpoint);
  }

  /** Takes new options; running ejections end as planned, or at once when ejection is turned off. */
  reconfigure(options: EjectorOptions | null): void {
    this.#options = options;
    if (options !== null) return;
    for (const endpoint of Array.from(this.#running.keys())) this.#return(endpoint);
  }

  /** Stops deciding; nothing is scheduled from here on. */
  close(): void {
    this.#options = null;
    this.#sweep?.cancel();
    this.#sweep = null;
  }

  #detect(endpoint: Endpoint, verdict: Verdict, options: EjectorOptions): void {
    const { streak } = endpoint;
    if (verdict === 'refused') {
      // Certain and cheap to find out again, so the cap does not apply; panic is the last resort.
      if (options.consecutiveLocalOrigin > 0) this.#decide(endpoint, 'refused', 1, options);
    } else if (reached(streak.localFailures, options.consecutiveLocalOrigin)) {
      this.#decide(endpoint, 'consecutive_local_origin', streak.localFailures, options);
    } else if (reached(streak.gatewayErrors, options.consecutiveGateway)) {
      this.#decide(endpoint, 'consecutive_gateway', streak.gatewayErrors, options);
    } else if (reached(streak.serverErrors, options.consecutive5xx)) {
      this.#decide(endpoint, 'consecutive_5xx', streak.serverErrors, options);
    }
  }

  #decide(
    endpoint: Endpoint,
    detector: Detector,
    consecutive: number,
    options: EjectorOptions,
  ): void {
    clearStreak(endpoint);
    const { members } = this.#host;
    // Without anybody else to go to there is nothing to decide.
    if (members.length < 2) return;
    const outcome = this.#outcome(endpoint, detector, options);
    if (outcome === 'ejected') this.#eject(endpoint, detector, detector, consecutive, options);
    else if (this.#worthNoting(endpoint, options)) {
      this.#note(endpoint, detector, outcome, consecutive);
    }
  }

  #outcome(endpoint: Endpoint, detector: Detector, options: EjectorOptions): EjectionOutcome {
    if (options.maxEjectedShare <= 0) return 'would_eject';
    if (detector === 'refused') return 'ejected';
    const cap = maxEjections(this.#host.members.length, options.maxEjectedShare);
    return this.ejected < cap && !this.#peersFail(endpoint) ? 'ejected' : 'capped';
  }

  /** Most of the other members fail too: a fault behind or before all of them. */
  #peersFail(endpoint: Endpoint): boolean {
    let peers = 0;
    let failing = 0;
    for (const peer of this.#host.members) {
      if (peer === endpoint || peer.attempts === 0) continue;
      peers++;
      if (peer.errorRate > FAILING) failing++;
    }
    return failing * 2 > peers;
  }

  #worthNoting(endpoint: Endpoint, options: EjectorOptions): boolean {
    const now = this.#clock.now();
    const notedAt = this.#cappedAt.get(endpoint);
    if (notedAt !== undefined && now - notedAt < options.baseEjectionMs) return false;
    this.#cappedAt.set(endpoint, now);
    return true;
  }

  /** `cause` of the whole ejection; `detector` of this decision, which differs for a failed trial. */
  #eject(
    endpoint: Endpoint,
    cause: Detector,
    detector: Detector,
    consecutive: number,
    options: EjectorOptions,
  ): void {
    this.#clear(endpoint);
    endpoint.ejectedUntil = this.#times.nextEnd(endpoint, options);
    endpoint.ejections++;
    this.#running.set(endpoint, cause);
    this.#watchEnds(options);
    this.#note(endpoint, detector, 'ejected', consecutive);
    this.#host.ejected(endpoint);
  }

  #judgeTrial(endpoint: Endpoint, verdict: Verdict, options: EjectorOptions): void {
    // What was under way when it was ejected says nothing new.
    if (endpoint.trial === 'none') return;
    const cause = this.#running.get(endpoint) as Detector;
    if (verdict === 'none') endpoint.trial = 'due';
    else if (verdict === 'ok' || (verdict === 'server_error' && !isAnswer(cause))) {
      this.#return(endpoint);
    } else this.#eject(endpoint, cause, 'trial', 1, options);
  }

  #return(endpoint: Endpoint): void {
    this.#clear(endpoint);
    clearStreak(endpoint);
    endpoint.errorRate = 0;
    this.#times.returned(endpoint);
    this.#host.returned(endpoint);
  }

  #openTrial(endpoint: Endpoint): void {
    endpoint.trial = 'due';
    this.#trials.push(endpoint);
  }

  #clear(endpoint: Endpoint): void {
    endpoint.ejectedUntil = 0;
    endpoint.trial = 'none';
    this.#running.delete(endpoint);
    this.#trialSentAt.delete(endpoint);
    const at = this.#trials.indexOf(endpoint);
    if (at >= 0) this.#trials.splice(at, 1);
  }

  #patienceEnds(endpoint: Endpoint): number {
    return (this.#trialSentAt.get(endpoint) ?? 0) + TRIAL_PATIENCE_MS;
  }

  /** One timer while anybody is out, whatever their number. */
  #watchEnds(options: EjectorOptions): void {
    this.#sweep ??= this.#clock.schedule(options.intervalMs, () => {
      this.#sweep = null;
      const now = this.#clock.now();
      let waiting = false;
      for (const endpoint of this.#running.keys()) {
        if (endpoint.trial !== 'none') continue;
        if (endpoint.ejectedUntil <= now) this.#openTrial(endpoint);
        else waiting = true;
      }
      if (waiting) this.#watchEnds(this.#options ?? options);
    });
  }

  #note(
    endpoint: Endpoint,
    detector: Detector,
    outcome: EjectionOutcome,
    consecutive: number,
  ): void {
    const at = this.#clock.wallTime();
    const leftMs = endpoint.ejectedUntil - this.#clock.now();
    const entry: LedgerEntry = {
      at,
      endpoint: endpoint.key,
      detector,
      outcome,
      consecutive,
      attempts: endpoint.attempts,
      failures: endpoint.failures,
      until: outcome === 'ejected' ? at + leftMs : 0,
    };
    this.ledger.add(entry);
    this.onDecision?.(entry);
  }
}

function reached(count: number, threshold: number): boolean {
  return threshold > 0 && count >= threshold;
}

/** The detector judged answers, so only a good answer clears the endpoint. */
function isAnswer(cause: Detector): boolean {
  return cause === 'consecutive_5xx' || cause === 'consecutive_gateway';
}

function clearStreak(endpoint: Endpoint): void {
  endpoint.streak.serverErrors = 0;
  endpoint.streak.gatewayErrors = 0;
  endpoint.streak.localFailures = 0;
}
