import type { AccessLog } from './access-log.ts';
import type { Counter } from './cell.ts';
import type { Clock } from './clock.ts';
import { failed } from './outcome.ts';
import type { Recorder, RequestRecord } from './record.ts';

/** Makes spans of a record; absent while tracing is off or has not been loaded. */
export interface SpanSink {
  /** Returns how many spans were made. */
  write(request: RequestRecord, reason: string | null): number;
}

export interface RecorderOptions {
  /** Export a failed request whose root is ours and was not sampled. */
  readonly keepErrors: boolean;
  /** The same for a slow one; 0: off. */
  readonly keepSlowMs: number;
}

/** What the recorder counts on the side. */
export interface RecorderCounters {
  readonly inboundContext: Counter;
  readonly inboundNone: Counter;
  readonly outboundContext: Counter;
  readonly outboundNone: Counter;
  /** Sampled requests that ended before tracing was ready. */
  readonly notStarted: Counter;
}

/** Spans a second that are kept of requests nobody sampled (`telemetry.md` §3). */
const KEPT_PER_SECOND = 10;

/**
 * The one place where a finished request becomes metrics, a log line and spans. An unsampled request
 * costs no call of the SDK.
 */
export class RequestRecorder implements Recorder {
  readonly #options: RecorderOptions;
  readonly #accessLog: AccessLog;
  readonly #counters: RecorderCounters;
  readonly #clock: Clock;
  #spans: SpanSink | null = null;
  #keepTokens = KEPT_PER_SECOND;
  #keepFilledMs: number;

  constructor(
    options: RecorderOptions,
    accessLog: AccessLog,
    counters: RecorderCounters,
    clock: Clock,
  ) {
    this.#options = options;
    this.#accessLog = accessLog;
    this.#counters = counters;
    this.#clock = clock;
    this.#keepFilledMs = clock.now();
  }

  /** From now on sampled requests become spans; null: no more. */
  useSpans(spans: SpanSink | null): void {
    this.#spans = spans;
  }

  record(request: RequestRecord): void {
    request.cells.record(request);
    this.#countContext(request);
    this.#accessLog.write(request, this.#trace(request));
  }

  /** True when spans of the request were made. */
  #trace(request: RequestRecord): boolean {
    const { trace } = request;
    if (trace.sampled) {
      if (this.#spans === null) this.#counters.notStarted.add();
      else this.#spans.write(request, trace.reason);
      return this.#spans !== null;
    }
    if (this.#spans === null || trace.reason === null || trace.parentSpanId !== '') return false;
    const why = this.#keptFor(request);
    if (why === null || !this.#mayKeep()) return false;
    this.#keepTokens -= this.#spans.write(request, why);
    return true;
  }

  #keptFor(request: RequestRecord): 'error' | 'slow' | null {
    const { keepErrors, keepSlowMs } = this.#options;
    if (keepErrors && failed(request)) return 'error';
    return keepSlowMs > 0 && request.endMs - request.startMs >= keepSlowMs ? 'slow' : null;
  }

  #mayKeep(): boolean {
    const nowMs = this.#clock.now();
    const earned = ((nowMs - this.#keepFilledMs) / 1000) * KEPT_PER_SECOND;
    this.#keepFilledMs = nowMs;
    this.#keepTokens = Math.min(KEPT_PER_SECOND, this.#keepTokens + earned);
    return this.#keepTokens >= 1;
  }

  #countContext(request: RequestRecord): void {
    const { trace } = request;
    if (trace.traceId === '') return;
    const present = trace.parentSpanId !== '' || (trace.link ?? null) !== null;
    const counters = this.#counters;
    if (request.direction === 'inbound') {
      (present ? counters.inboundContext : counters.inboundNone).value++;
    } else (present ? counters.outboundContext : counters.outboundNone).value++;
  }
}
