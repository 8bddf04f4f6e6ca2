import type { EndpointSpec } from '../../discovery/resolver.ts';
import type { Clock } from '../../telemetry/clock.ts';
import type { PickInput } from '../balancer/picker.ts';
import { policies } from '../balancer/policies.ts';
import type { Failure, FailureCode } from '../failure.ts';
import { RetryBudget } from '../retry/budget.ts';
import type { RetryDenied } from '../retry/policy.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { Easing } from './easing.ts';
import { Ejector } from './ejector.ts';
import type { Endpoint } from './endpoint.ts';
import { Latency } from './latency.ts';
import { Limits } from './limits.ts';
import { ClusterLoad } from './load.ts';
import { proportionalSplit, type ZoneCounts, type ZoneSplit } from './locality.ts';
import { Members } from './members.ts';
import type { ClusterOptions } from './options.ts';
import { type AttemptOutcome, verdictOf } from './outcome.ts';
import { usableSet } from './usable-set.ts';
import { type PickReason, ZonePicker } from './zone-picker.ts';

/** Where slow start is off: how an endpoint comes back from an ejection. */
const RETURN = { windowMs: 10_000, aggression: 1 };

/**
 * The endpoints of one service with one set of policies. Holds what must survive a change of
 * configuration or membership; the picker is replaced as a whole and never looks at health.
 */
export class Cluster {
  readonly name: string;
  readonly limits: Limits;
  readonly budget: RetryBudget;
  readonly ejector: Ejector;
  readonly load = new ClusterLoad();
  /** Time of whole requests that got an answer. */
  readonly latency: Latency;
  /** Since the start: requests ended, those that failed (5xx or no answer), retries sent, retries denied. */
  readonly counters = { requests: 0, failures: 0, retries: 0, retriesDenied: 0 };
  /** Swapped by one assignment whenever members, health or options change. */
  picker: ZonePicker;
  /** Why the last `pick` chose what it chose (`outrigger.lb.reason`). */
  lastReason: PickReason = 'policy';

  #options: ClusterOptions;
  readonly #clock: Clock;
  readonly #members: Members;
  readonly #easing: Easing;
  #callers: ZoneCounts = new Map();
  #usable = 0;
  #panic = false;
  #resolved = false;
  /** The registry has listed a member once. */
  #listed = false;
  #closed = false;
  #waiting = new Set<() => void>();

  constructor(
    options: ClusterOptions,
    clock: Clock,
    makeUpstream: (spec: EndpointSpec) => Upstream,
  ) {
    this.name = options.name;
    this.#options = options;
    this.#clock = clock;
    this.#members = new Members(makeUpstream);
    this.#easing = new Easing(clock);
    this.limits = new Limits(options.name, options.limits.maxRequests);
    this.budget = new RetryBudget(options.retries, clock);
    this.latency = new Latency(clock);
    this.ejector = new Ejector(options.outliers, clock, this);
    this.picker = this.#buildPicker();
  }

  /** Name of the balancing policy. */
  get policy(): string {
    return this.#options.balancing.policy;
  }

  get options(): ClusterOptions {
    return this.#options;
  }

  /** All endpoints of the registry's list, also those not used at present. */
  get members(): readonly Endpoint[] {
    return this.#members.list;
  }

  /** Members in good standing, and in reach of the zone rule. */
  get usable(): number {
    return this.#usable;
  }

  /** So few are usable that health is ignored. */
  get panic(): boolean {
    return this.#panic;
  }

  /** A first list has arrived, though it may be empty. */
  get resolved(): boolean {
    return this.#resolved;
  }

  /** The code for a request for which `pick` found nobody. */
  get emptyCode(): FailureCode {
    if (!this.#resolved) return 'discovery_pending';
    if (this.members.length === 0) return this.#listed ? 'no_healthy_upstream' : 'unknown_service';
    return this.#reach().length === 0 ? 'subset_empty' : 'no_healthy_upstream';
  }

  /** Members that are not usable, by the reason. */
  unusable(): { critical: number; maintenance: number; ejected: number } {
    const counts = { critical: 0, maintenance: 0, ejected: 0 };
    for (const { spec, ejectedUntil } of this.members) {
      if (spec.health !== 'passing') counts[spec.health]++;
      else if (ejectedUntil > 0) counts.ejected++;
    }
    return counts;
  }

  /** Chooses an endpoint, or null when there is none; allocates nothing. `lastReason` tells why. */
  pick(input: PickInput): Endpoint | null {
    if (this.ejector.trialsOpen && input.attempt === 1 && !this.#panic) {
      const trial = this.ejector.takeTrial(input, this.#strictZone());
      if (trial !== null) {
        this.lastReason = 'explore';
        return trial;
      }
    }
    const chosen = this.picker.pick(input);
    this.lastReason = this.picker.reason;
    return chosen;
  }

  /** An attempt goes out to a chosen endpoint. */
  started(endpoint: Endpoint): void {
    endpoint.inflight++;
    endpoint.attempts++;
    this.load.sent(endpoint.spec.zone);
  }

  /** The final head of an attempt came; lets a trial succeed before a long response has ended. */
  answered(endpoint: Endpoint, status: number): void {
    if (endpoint.trial === 'none') return;
    this.ejector.record(endpoint, verdictOf({ status, failure: null, durationMs: 0 }));
  }

  /** An attempt is over, once for every `started`. A success earns retry tokens. */
  ended(endpoint: Endpoint, outcome: AttemptOutcome): void {
    endpoint.inflight--;
    if (outcome.failure !== null) this.limits.attemptFailed(outcome.failure);
    const verdict = verdictOf(outcome);
    if (verdict === 'ok') this.budget.deposit();
    else if (verdict !== 'none') endpoint.failures++;
    if (endpoint.member) this.ejector.record(endpoint, verdict);
    this.#members.closeIdle();
  }

  /** A request is over at `nowMs`, retries included, with the status its caller got (0: none). */
  finished(
    durationMs: number,
    status: number,
    failure: Failure | null,
    nowMs = this.#clock.now(),
  ): void {
    this.counters.requests++;
    if ((failure?.status ?? status) >= 500) this.counters.failures++;
    if (status > 0) this.latency.record(durationMs, nowMs);
  }

  /** What the retry policy said about a failed attempt; null: a retry follows. */
  retryDecided(denied: RetryDenied | null): void {
    if (denied === null) this.counters.retries++;
    else if (denied !== 'final') this.counters.retriesDenied++;
  }

  /** Takes the registry's complete list. What is known already changes nothing. */
  setMembers(specs: readonly EndpointSpec[]): void {
    if (this.#closed) return;
    const first = !this.#resolved;
    if (specs.length > 0) this.#listed = true;
    const change = this.#members.replace(specs);
    if (change !== null) {
      for (const endpoint of change.removed) {
        this.ejector.forget(endpoint);
        this.#easing.stop(endpoint);
      }
      for (const endpoint of change.recovered) this.ejector.pardon(endpoint);
      const slowStart = this.#options.balancing.slowStart;
      // At the first list all are equally new.
      if (!first) for (const endpoint of change.added) this.#easing.start(endpoint, slowStart);
      for (const endpoint of change.recovered) this.#easing.start(endpoint, slowStart);
      this.load.keepOnly(new Set(this.members.map(({ spec }) => spec.zone)));
      this.healthChanged();
      this.#members.closeIdle();
    }
    this.#resolved = true;
    if (first) this.#release();
  }

  /** How many callers like us each zone has, ourselves included; what proportional shares rest on. */
  setCallers(zones: ReadonlyMap<string, number>): void {
    const callers = new Map([...zones].filter(([, count]) => count > 0));
    if (sameCounts(callers, this.#callers)) return;
    this.#callers = callers;
    this.healthChanged();
  }

  /** Calls back once: when the first list has arrived, or the cluster is closed; at once if it is so already. */
  whenResolved(callback: () => void): () => void {
    if (this.#resolved || this.#closed) {
      callback();
      return () => {};
    }
    // A wrapper, so that the same function may wait twice.
    const waiter = (): void => callback();
    this.#waiting.add(waiter);
    return () => this.#waiting.delete(waiter);
  }

  /** Builds the picker anew from the members' present standing. */
  healthChanged(): void {
    this.picker = this.#buildPicker();
  }

  ejected(endpoint: Endpoint): void {
    this.#easing.stop(endpoint);
    this.healthChanged();
  }

  returned(endpoint: Endpoint): void {
    const { slowStart } = this.#options.balancing;
    this.#easing.start(endpoint, slowStart.windowMs > 0 ? slowStart : RETURN);
    this.healthChanged();
  }

  /** Takes new policies; endpoints, connections, budget and ejections stay. */
  reconfigure(options: ClusterOptions): void {
    this.#options = options;
    this.limits.maxRequests = options.limits.maxRequests;
    this.budget.reconfigure(options.retries);
    this.ejector.reconfigure(options.outliers);
    this.healthChanged();
  }

  /** Makes the connections of all endpoints anew; requests under way finish on the old ones. */
  renewUpstreams(): void {
    this.#members.renewUpstreams();
  }

  /** No new members; connections close when the requests that entered have left. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.ejector.close();
    this.#easing.close();
    this.#release();
    this.limits.whenIdle(() => {
      this.#members.replace([]);
      this.#members.closeIdle();
      this.healthChanged();
    });
  }

  #release(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const callback of waiting) callback();
  }

  #strictZone(): string | null {
    const { zone, balancing } = this.#options;
    return balancing.zone === 'strict' && zone !== '' ? zone : null;
  }

  /** Members that the zone rule allows at all. */
  #reach(): readonly Endpoint[] {
    const strict = this.#strictZone();
    return strict === null
      ? this.members
      : this.members.filter((endpoint) => endpoint.spec.zone === strict);
  }

  #buildPicker(): ZonePicker {
    const { balancing, zone } = this.#options;
    const { endpoints, usable, panic } = usableSet(this.#reach(), balancing.panicThreshold);
    this.#usable = usable;
    this.#panic = panic;
    return new ZonePicker({
      endpoints,
      factory: policies[balancing.policy](balancing),
      load: this.load,
      clock: this.#clock,
      zone,
      split: panic ? null : this.#split(endpoints),
      plainReason: panic ? 'panic' : this.#plainReason(endpoints),
      remoteReason: this.#localIsLost(endpoints) ? 'local_unhealthy' : 'zone_spill',
    });
  }

  /** Why endpoints are chosen where zones do not divide the requests. */
  #plainReason(endpoints: readonly Endpoint[]): PickReason {
    if (this.#strictZone() !== null) return 'zone_local';
    return this.#prefersZone() && this.#localIsLost(endpoints) ? 'local_unhealthy' : 'policy';
  }

  #prefersZone(): boolean {
    const { balancing, zone } = this.#options;
    return zone !== '' && (balancing.zone === 'prefer' || balancing.zone === 'proportional');
  }

  #split(endpoints: readonly Endpoint[]): ZoneSplit | null {
    const { balancing, zone } = this.#options;
    if (!this.#prefersZone()) return null;
    const smallest = balancing.zone === 'proportional' ? balancing.minClusterSize : 0;
    return proportionalSplit(zone, this.#callers, countZones(endpoints), smallest);
  }

  /** Our own zone has members, and none of them is usable. */
  #localIsLost(endpoints: readonly Endpoint[]): boolean {
    const local = ({ spec }: Endpoint): boolean => spec.zone === this.#options.zone;
    return this.members.some(local) && !endpoints.some(local);
  }
}

function countZones(endpoints: readonly Endpoint[]): ZoneCounts {
  const counts = new Map<string, number>();
  for (const { spec } of endpoints) counts.set(spec.zone, (counts.get(spec.zone) ?? 0) + 1);
  return counts;
}

function sameCounts(one: ZoneCounts, other: ZoneCounts): boolean {
  if (one.size !== other.size) return false;
  for (const [zone, count] of one) if (other.get(zone) !== count) return false;
  return true;
}
