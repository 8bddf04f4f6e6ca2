import type { RandomIds } from './random-ids.ts';
import type { Carrier, Propagation, RequestTrace, TraceLink } from './record.ts';
import type { RootSampler } from './sampler.ts';
import type { ReceivedContext, SentContext, TraceFormat } from './trace-format.ts';

/** How traces begin and go on. */
export interface PropagationOptions {
  /** In order of preference when several are received; all are written. */
  readonly formats: readonly TraceFormat[];
  readonly sampler: RootSampler;
  /** The caller's decision counts where it made one. */
  readonly parentBased: boolean;
  /** Signals are off: no trace is begun or sampled, what was received passes untouched. */
  readonly disabled: boolean;
}

/** The decision about one request, with what `inject` needs to know of it. */
class DecidedTrace implements RequestTrace {
  readonly sampled: boolean;
  readonly traceId: string;
  readonly parentSpanId: string;
  readonly spanId: string;
  readonly traceState: string | null;
  readonly reason: string | null;
  readonly link: TraceLink | null;
  /** The received header fields say what we say: they are passed on as they are. */
  readonly untouched: boolean;

  constructor(
    sampled: boolean,
    traceId: string,
    parentSpanId: string,
    spanId: string,
    traceState: string | null,
    reason: string | null,
    link: TraceLink | null,
    untouched: boolean,
  ) {
    this.sampled = sampled;
    this.traceId = traceId;
    this.parentSpanId = parentSpanId;
    this.spanId = spanId;
    this.traceState = traceState;
    this.reason = reason;
    this.link = link;
    this.untouched = untouched;
  }
}

const NO_TRACE = new DecidedTrace(false, '', '', '', null, null, null, true);

/** Trace context in and out, and the sampling decision, without the SDK (`telemetry.md` §2, §3). */
export class TracePropagation implements Propagation {
  readonly #ids: RandomIds;
  readonly #options: PropagationOptions;
  readonly #received: ReceivedContext = {
    traceId: '',
    spanId: '',
    sampled: null,
    traceState: null,
  };

  constructor(ids: RandomIds, options: PropagationOptions) {
    this.#ids = ids;
    this.#options = options;
  }

  begin(headers: Carrier, probe: boolean, trusted = true): RequestTrace {
    const { disabled } = this.#options;
    const found = this.#extract(headers);
    if (!found) return disabled ? NO_TRACE : this.#root(probe, null, null);
    const { traceId, spanId } = this.#received;
    if (disabled) return new DecidedTrace(false, traceId, spanId, '', null, null, null, true);
    if (!trusted) return this.#root(probe, null, traceId === '' ? null : { traceId, spanId });
    const decided = this.#options.parentBased ? this.#received.sampled : null;
    // B3 can say "do not sample" without naming a trace.
    if (traceId === '') return this.#root(probe, decided, null);
    return this.#continue(probe, decided);
  }

  nextSpanId(): string {
    return this.#ids.spanId();
  }

  inject(trace: RequestTrace, spanId: string, headers: Carrier): void {
    if (trace.traceId === '' || (trace instanceof DecidedTrace && trace.untouched)) return;
    const continued = trace.parentSpanId !== '';
    const context: SentContext = {
      traceId: trace.traceId,
      spanId: spanId === '' ? this.#ids.spanId() : spanId,
      sampled: trace.sampled,
      continued,
      keepTraceState: continued && trace.traceState !== null,
    };
    const { formats } = this.#options;
    for (let index = 0; index < formats.length; index++) {
      (formats[index] as TraceFormat).inject(headers, context);
    }
  }

  #extract(headers: Carrier): boolean {
    const { formats } = this.#options;
    for (let index = 0; index < formats.length; index++) {
      if ((formats[index] as TraceFormat).extract(headers, this.#received)) return true;
    }
    return false;
  }

  #continue(probe: boolean, decided: boolean | null): RequestTrace {
    const { traceId, spanId, traceState, sampled: callers } = this.#received;
    const sampled = decided ?? (!probe && this.#options.sampler.sample(traceId));
    const own = sampled ? this.#ids.spanId() : '';
    const untouched = !sampled && callers === false;
    return new DecidedTrace(sampled, traceId, spanId, own, traceState, null, null, untouched);
  }

  #root(probe: boolean, decided: boolean | null, link: TraceLink | null): RequestTrace {
    const { sampler } = this.#options;
    const traceId = this.#ids.traceId();
    const sampled = decided ?? (!probe && sampler.sample(traceId));
    // A probe, or a caller that decided against it: not ours to keep when it fails.
    const reason = decided !== null || probe ? null : sampler.reason;
    const own = sampled ? this.#ids.spanId() : '';
    return new DecidedTrace(sampled, traceId, '', own, null, reason, link, false);
  }
}
