import { DnsResolver, defaultDnsOptions } from '../discovery/dns.ts';
import type { DnsTarget } from '../discovery/dns-lookup.ts';
import { StaticResolver } from '../discovery/static.ts';
import type { Clock } from '../telemetry/clock.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { acceptConnections } from './accept.ts';
import type { ClustersView, ReadyView, SidecarState } from './admin/views.ts';
import { buildSnapshot, dnsServices, type Parts, staticServices } from './build.ts';
import { CallerZones } from './caller-zones.ts';
import type { WrappedCommand } from './cli/wrapped-command.ts';
import { Clusters } from './clusters.ts';
import type { Loaded } from './config/load.ts';
import type { Config } from './config/schema.ts';
import { observeSidecar } from './gauges.ts';
import { Listeners } from './listeners.ts';
import { INBOUND, portsOf } from './ports.ts';
import { waitingFor } from './readiness.ts';
import { Registry } from './registry.ts';
import { Live, type Snapshot } from './snapshot.ts';
import { acceptMode } from './transport/accept-mode.ts';
import { clustersView } from './views.ts';

/** How often the end of a drain is looked for, milliseconds. */
const DRAIN_LOOK_MS = 50;
/** Time to leave the registry even in a hurry: an entry that stays costs every caller attempts. */
const HURRIED_LEAVE_MS = 1000;

/**
 * The running sidecar: starts its parts in order, puts new configurations in force, and leaves in the
 * order registry, inbound, outbound. Nothing else starts or stops a long-lived part.
 */
export class Sidecar {
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #registry: Registry | null;
  readonly #static: StaticResolver;
  readonly #dns: DnsResolver;
  /** Grows with reloads; the resolver reads it when a service is first watched. */
  readonly #dnsServices: Map<string, DnsTarget>;
  readonly #clusters: Clusters;
  readonly #listeners: Listeners;
  readonly #live: Live<Snapshot>;
  readonly #parts: Parts;
  readonly #callers: CallerZones;
  readonly #startedMs: number;
  #loaded: Loaded;
  #loadedAt: string;
  #draining = false;

  private constructor(
    loaded: Loaded,
    telemetry: Telemetry,
    clock: Clock,
    clusters: Clusters,
    registry: Registry | null,
    onBug: (error: unknown) => void,
  ) {
    const { config } = loaded;
    const { log, metrics } = telemetry;
    this.#loaded = loaded;
    this.#loadedAt = new Date(clock.wallTime()).toISOString();
    this.#clock = clock;
    this.#telemetry = telemetry;
    this.#registry = registry;
    this.#startedMs = clock.now();
    this.#dnsServices = new Map(dnsServices(config));
    this.#static = new StaticResolver({ services: staticServices(config) }, clock, log);
    this.#dns = new DnsResolver({
      options: { ...defaultDnsOptions, services: this.#dnsServices },
      clock,
      log,
    });
    this.#clusters = clusters;
    this.#parts = {
      clock,
      metrics,
      clusters: this.#clusters,
      resolvers: { consul: registry?.resolver ?? null, static: this.#static, dns: this.#dns },
      zone: config.service.zone,
      onBug,
    };
    this.#live = new Live(buildSnapshot(config, 1, this.#parts));
    this.#listeners = new Listeners(
      acceptConnections({
        telemetry,
        clock,
        live: this.#live,
        config: () => this.config,
        onBug,
      }),
    );
    this.#callers = new CallerZones(registry?.resolver ?? null, this.#clusters);
    observeSidecar(metrics, {
      clusters: this.#clusters,
      listeners: this.#listeners,
      clock,
      config: () => this.config,
      generation: () => this.#live.current.generation,
      draining: () => this.#draining,
    });
  }

  /** Opens every port and begins to follow the registry; what is wrong comes back, one sentence each. */
  static async start(
    loaded: Loaded,
    telemetry: Telemetry,
    clock: Clock,
    onBug: (error: unknown) => void,
  ): Promise<Sidecar | readonly string[]> {
    const { config } = loaded;
    const { log, metrics } = telemetry;
    const clusters = new Clusters(clock, log);
    let registry: Registry | null = null;
    if (config.consul.enabled) {
      const usage = (service: string): number => clusters.get(service)?.counters.requests ?? 0;
      const opened = await Registry.open(config, { clock, log, metrics, usage });
      if (!(opened instanceof Registry)) return [opened.problem];
      registry = opened;
    }
    const sidecar = new Sidecar(loaded, telemetry, clock, clusters, registry, onBug);
    const ports = portsOf(config);
    const problems = await sidecar.#listeners.open(ports);
    if (problems.length > 0) {
      await sidecar.#close();
      return problems;
    }
    sidecar.#listeners.keep(ports);
    sidecar.#callers.follow(config);
    const { reason } = await acceptMode();
    if (reason !== null)
      log.warn({ reason }, 'this Node.js reads accepted connections the slower way');
    return sidecar;
  }

  /** Becomes known to callers. Consul being away is no reason not to serve: it is tried until it works. */
  register(): void {
    void this.#registry?.membership?.start();
  }

  get config(): Config {
    return this.#loaded.config;
  }

  get loaded(): Loaded {
    return this.#loaded;
  }

  /** ISO 8601. */
  get loadedAt(): string {
    return this.#loadedAt;
  }

  get generation(): number {
    return this.#live.current.generation;
  }

  get state(): SidecarState {
    if (this.#draining) return 'draining';
    return waitingFor(this.config, this.#clusters).length === 0 ? 'ready' : 'starting';
  }

  /** Puts another configuration in force, or says why it cannot be and changes nothing. */
  async apply(loaded: Loaded): Promise<readonly string[]> {
    const { config } = loaded;
    const ports = portsOf(config);
    const problems = await this.#listeners.open(ports);
    if (problems.length > 0) return problems;
    this.#loaded = loaded;
    this.#loadedAt = new Date(this.#clock.wallTime()).toISOString();
    this.#static.replace(staticServices(config));
    for (const [name, target] of dnsServices(config)) this.#dnsServices.set(name, target);
    this.#live.publish(buildSnapshot(config, this.generation + 1, this.#parts));
    // At once: nothing is accepted between the two.
    this.#listeners.keep(ports);
    this.#callers.follow(config);
    return [];
  }

  ready(): ReadyView {
    const missing = waitingFor(this.config, this.#clusters);
    const { state } = this;
    return { state, ready: state === 'ready', waitingFor: missing };
  }

  view(): ClustersView {
    const { service } = this.config;
    return clustersView({
      service: service.name,
      zone: service.zone,
      state: this.state,
      generation: this.generation,
      uptimeMs: this.#clock.now() - this.#startedMs,
      now: this.#clock.now(),
      listeners: this.#listeners,
      clusters: this.#clusters,
    });
  }

  /** Not ready any more, and no caller's choice any more; everything is still served. */
  async drain(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    this.#telemetry.log.info({}, 'draining: leaving the registry, still serving');
    await this.#registry?.membership?.maintain('outrigger is shutting down');
  }

  /**
   * Leaves: registry first, then the drain delay, then inbound until its requests have ended, then
   * everything. Outbound stays open while `command`, if there is one, is still running. `hurry` cuts each wait
   * short. Resolves when nothing is left open.
   */
  async stop(hurry: AbortSignal, command: WrappedCommand | null): Promise<void> {
    const { drain } = this.config;
    const inbound = this.#listeners.get(INBOUND);
    await Promise.race([this.drain(), aborted(hurry)]);
    if (inbound !== null) {
      await this.#wait(drain.delayMs, hurry);
      inbound.stop();
      inbound.drain();
      await this.#until(() => inbound.open === 0, drain.timeoutMs, hurry);
      const running = this.#clusters.get(INBOUND)?.limits.active ?? 0;
      if (running > 0) {
        this.#telemetry.log.warn(
          { requests: running },
          'cutting requests that did not end in time',
        );
      }
    }
    command?.signal('SIGTERM');
    const left = this.#registry?.membership?.deregister();
    const enough = aborted(hurry).then(() => this.#wait(HURRIED_LEAVE_MS, NEVER));
    await Promise.race([left, enough]);
    this.#telemetry.log.info({}, 'inbound is closed and the registry left; finishing outbound');
    if (command !== null) await Promise.race([command.ended, aborted(hurry)]);
    await this.#until(() => this.#outboundRequests() === 0, drain.timeoutMs, hurry);
    // What is written may still be on its way to a slow reader.
    this.#listeners.finish();
    await this.#until(() => this.#listeners.connections === 0, drain.timeoutMs, hurry);
    await this.#close();
  }

  #outboundRequests(): number {
    let active = 0;
    for (const cluster of this.#clusters)
      if (cluster.name !== INBOUND) active += cluster.limits.active;
    return active;
  }

  async #close(): Promise<void> {
    this.#callers.stop();
    await this.#listeners.close();
    this.#clusters.close();
    await Promise.all([this.#registry?.close(), this.#static.close(), this.#dns.close()]);
  }

  async #until(condition: () => boolean, limitMs: number, hurry: AbortSignal): Promise<void> {
    const end = this.#clock.now() + limitMs;
    while (!condition() && !hurry.aborted && this.#clock.now() < end) {
      await this.#wait(DRAIN_LOOK_MS, hurry);
    }
  }

  #wait(ms: number, hurry: AbortSignal): Promise<void> {
    if (hurry.aborted || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#clock.schedule(ms, () => {
        hurry.removeEventListener('abort', cut);
        resolve();
      });
      const cut = (): void => {
        timer.cancel();
        resolve();
      };
      hurry.addEventListener('abort', cut, { once: true });
    });
  }
}

const NEVER = new AbortController().signal;

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
