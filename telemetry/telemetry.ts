import { AccessLog } from './access-log.ts';
import type { Clock, Timer } from './clock.ts';
import { readEnvironment } from './environment.ts';
import type { Environment } from './environment-reader.ts';
import { createLog, type Log } from './log.ts';
import { MethodNames } from './method-names.ts';
import type { PrometheusText } from './metric-export.ts';
import { Metrics } from './metrics.ts';
import type { MetricsServer } from './metrics-server.ts';
import type { TelemetryOptions } from './options.ts';
import { TracePropagation } from './propagation.ts';
import { RandomIds } from './random-ids.ts';
import type { Propagation } from './record.ts';
import { RequestRecorder } from './recorder.ts';
import { RemoteSampler } from './remote-sampler.ts';
import { observeRuntime } from './runtime-metrics.ts';
import { ConstantSampler, RatioSampler, type RootSampler } from './sampler.ts';
import type { TelemetrySettings } from './settings.ts';
import type { SpanView } from './span-view.ts';
import { openSinks, type TelemetrySinks } from './telemetry-sinks.ts';
import { traceFormats } from './trace-formats.ts';
import type { Tracing } from './tracing.ts';

const SINK_CLOSE_MS = 500;
const CODES_EXPLAINED = 64;

/**
 * Everything the other layers need to say something about a request, behind one door. Cells, decisions
 * and logs work from the start; what leaves the process does so after `start`.
 */
export class Telemetry {
  readonly propagation: Propagation;
  readonly recorder: RequestRecorder;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly #options: TelemetryOptions;
  readonly #settings: TelemetrySettings;
  readonly #warnings: readonly string[];
  readonly #clock: Clock;
  readonly #sinks: TelemetrySinks;
  readonly #accessLog: AccessLog;
  readonly #ids = new RandomIds();
  readonly #methods: MethodNames;
  readonly #remoteSampler: RemoteSampler | null;
  #tracing: Tracing | null = null;
  #text: Promise<PrometheusText> | null = null;
  #server: MetricsServer | null = null;
  #push: { shutdown(): Promise<void> } | null = null;
  #stopRuntime: (() => void) | null = null;
  #printing: Timer | null = null;

  constructor(
    options: TelemetryOptions,
    environment: Environment,
    clock: Clock,
    sinks: TelemetrySinks | null,
  ) {
    const { settings, warnings } = readEnvironment(environment, options);
    this.#options = options;
    this.#settings = settings;
    this.#warnings = warnings;
    this.#clock = clock;
    this.#methods = new MethodNames(settings.knownMethods ?? undefined);
    this.metrics = new Metrics(clock, this.#methods, options.metrics);
    this.#sinks = sinks ?? openSinks(options.accessLog, this.metrics);
    this.log = createLog(options.log.level, this.#sinks.log);
    this.metrics.gauge('outrigger_build_info', options.release).set(1);

    const { sampler } = settings;
    this.#remoteSampler = sampler.name.endsWith('jaeger_remote') ? this.#remote() : null;
    const parentBased = sampler.name.startsWith('parentbased_');
    this.propagation = new TracePropagation(this.#ids, {
      formats: traceFormats(settings.propagators, parentBased),
      sampler: this.#remoteSampler ?? localSampler(settings),
      parentBased,
      disabled: settings.disabled,
    });
    this.#accessLog = new AccessLog(
      options.accessLog,
      this.#sinks.accessLog,
      clock,
      remembered(options.explain),
    );
    this.recorder = this.#createRecorder();
  }

  /** The last spans made here, newest first. */
  recentSpans(limit: number): readonly SpanView[] {
    return this.#tracing?.recent(limit) ?? [];
  }

  /** All metrics as Prometheus text. The serializer is loaded with the first call. */
  async metricsText(): Promise<string> {
    this.#text ??= import('./metric-export.ts').then(
      ({ PrometheusText }) =>
        new PrometheusText(this.metrics, this.#settings, this.#options, this.#clock),
    );
    return (await this.#text).read();
  }

  /** Port of the metrics server, null when there is none. */
  get metricsPort(): number | null {
    return this.#server?.port ?? null;
  }

  /**
   * Loads the SDK and begins to export. Never rejects: what cannot be started is logged, and the traffic
   * goes on without it.
   */
  async start(): Promise<void> {
    for (const warning of this.#warnings) this.log.warn({}, warning);
    this.#stopRuntime = observeRuntime(this.metrics, this.#clock);
    if (this.#settings.disabled) return;
    this.#remoteSampler?.start();
    await this.#attempt('tracing', () => this.#startTracing());
    await this.#attempt('metrics', () => this.#startMetrics());
  }

  /** Hands over what waits and closes everything, within `timeoutMs` and half a second for the logs. */
  async shutdown(timeoutMs = 2000): Promise<void> {
    this.#remoteSampler?.stop();
    this.#stopRuntime?.();
    this.recorder.useSpans(null);
    this.#accessLog.flush();
    this.#printing?.cancel();
    const ends: Promise<void>[] = [];
    if (this.#tracing !== null) ends.push(this.#tracing.shutdown());
    if (this.#push !== null) ends.push(this.#push.shutdown());
    if (this.#server !== null) ends.push(this.#server.close());
    await within(timeoutMs, Promise.allSettled(ends));
    this.#accessLog.flush();
    await Promise.all([
      this.#sinks.accessLog.close(SINK_CLOSE_MS),
      this.#sinks.log.close(SINK_CLOSE_MS),
    ]);
  }

  async #startTracing(): Promise<void> {
    const { trace, explain } = this.#options;
    if (this.#settings.tracesExporters.length === 0 && trace.recent === 0) return;
    const { Tracing } = await import('./tracing.ts');
    const full = this.#dropped('spans', 'queue_full');
    const failed = this.#dropped('spans', 'export_failed');
    this.#tracing = await Tracing.start({
      settings: this.#settings,
      options: this.#options,
      ids: this.#ids,
      writer: {
        methods: this.#methods,
        limits: this.#settings.spanLimits,
        duplicateHttpNames: this.#settings.duplicateHttpNames,
        titleOf: (code) => explain(code)?.title ?? null,
      },
      onDropped: (count, reason) => (reason === 'queue_full' ? full : failed).add(count),
      sink: this.#sinks.log,
      log: this.log,
      clock: this.#clock,
    });
    this.recorder.useSpans(this.#tracing);
  }

  async #startMetrics(): Promise<void> {
    const { metricsExporters } = this.#settings;
    if (metricsExporters.includes('otlp')) {
      const { pushMetrics } = await import('./metric-export.ts');
      this.#push = await pushMetrics(
        this.metrics,
        this.#settings,
        this.#options,
        this.#clock,
        this.log,
      );
    }
    if (metricsExporters.includes('console')) this.#printMetrics();
    if (metricsExporters.includes('prometheus')) await this.#openMetricsPort();
  }

  /** The default port has room for one process of a machine: the others do without it and are no worse. */
  async #openMetricsPort(): Promise<void> {
    const { host, port, asked } = this.#settings.prometheus;
    const { MetricsServer } = await import('./metrics-server.ts');
    try {
      this.#server = await MetricsServer.listen(host, port, () => this.metricsText());
    } catch (error) {
      if (asked) throw error;
      this.log.info({ host, port, error: String(error) }, 'no port of its own for the metrics');
    }
  }

  /** The `console` exporter: the text, at the interval of the push exporters. */
  #printMetrics(): void {
    this.#printing = this.#clock.schedule(this.#settings.metricIntervalMs, () => {
      void this.metricsText().then((text) => this.#sinks.log.write(`${text}\n`));
      this.#printMetrics();
    });
  }

  async #attempt(part: string, start: () => Promise<void>): Promise<void> {
    try {
      await start();
    } catch (error) {
      this.log.error({ part, error: String(error) }, 'telemetry cannot be started');
    }
  }

  #remote(): RemoteSampler {
    const { sampler, serviceName } = this.#settings;
    const options = {
      endpoint: sampler.remoteEndpoint,
      service: serviceName,
      pollMs: sampler.remotePollMs,
      initialRatio: sampler.ratio,
    };
    return new RemoteSampler(options, this.#clock, this.log);
  }

  #createRecorder(): RequestRecorder {
    const { trace } = this.#options;
    const off = this.#settings.disabled || this.#settings.sampler.name.endsWith('always_off');
    const context = (direction: string, present: string) =>
      this.metrics.counter('outrigger_trace_context_total', direction, present);
    return new RequestRecorder(
      { keepErrors: trace.keepErrors && !off, keepSlowMs: off ? 0 : trace.keepSlowMs },
      this.#accessLog,
      {
        inboundContext: context('inbound', 'true'),
        inboundNone: context('inbound', 'false'),
        outboundContext: context('outbound', 'true'),
        outboundNone: context('outbound', 'false'),
        notStarted: this.#dropped('spans', 'not_started'),
      },
      this.#clock,
    );
  }

  #dropped(signal: string, reason: string) {
    return this.metrics.counter('outrigger_telemetry_dropped_total', signal, reason);
  }
}

/** Telemetry by the file, with the environment over it. Throws only when the access log's file cannot be opened. */
export function createTelemetry(
  options: TelemetryOptions,
  environment: Environment,
  clock: Clock,
  sinks: TelemetrySinks | null = null,
): Telemetry {
  return new Telemetry(options, environment, clock, sinks);
}

function localSampler(settings: TelemetrySettings): RootSampler {
  const { name, ratio } = settings.sampler;
  if (name.endsWith('always_on')) return new ConstantSampler(true);
  return name.endsWith('always_off') ? new ConstantSampler(false) : new RatioSampler(ratio);
}

/** The catalogue with its answers kept: a code is asked for with every failed request. */
function remembered(explain: TelemetryOptions['explain']): TelemetryOptions['explain'] {
  const known = new Map<string, ReturnType<TelemetryOptions['explain']>>();
  return (code) => {
    let answer = known.get(code);
    if (answer === undefined) {
      answer = explain(code);
      if (known.size < CODES_EXPLAINED) known.set(code, answer);
    }
    return answer;
  };
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
