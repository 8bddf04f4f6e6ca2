import {
  createTraceState,
  type HrTime,
  type Link,
  type SpanContext,
  SpanKind,
  type SpanStatus,
  SpanStatusCode,
  TraceFlags,
  type TraceState,
} from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { FinishedSpan, type SpanOrigin } from './finished-span.ts';
import { limitAttributes } from './limit-attributes.ts';
import type { MethodNames } from './method-names.ts';
import { addOldHttpNames } from './old-http-names.ts';
import { clientError, needsOwnSpan, serverError } from './outcome.ts';
import type { RandomIds } from './random-ids.ts';
import type { AttemptRecord, RequestRecord, RequestTrace } from './record.ts';
import type { SpanLimitSettings } from './settings.ts';
import {
  addRequestAttributes,
  clientAttributes,
  type SpanAttributes,
  serverAttributes,
} from './span-attributes.ts';

export interface SpanWriterOptions {
  readonly limits: SpanLimitSettings;
  readonly methods: MethodNames;
  readonly duplicateHttpNames: boolean;
  /** Catalogue title of a code, null for an unknown one. */
  readonly titleOf: (code: string) => string | null;
}

/** One span before it is made. */
interface Draft {
  readonly name: string;
  readonly kind: SpanKind;
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentSpanId: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: SpanAttributes;
  /** `error.type`, null when the span is no error. */
  readonly error: string | null;
}

/**
 * Turns the record of a finished request into spans (`telemetry.md` §1): SERVER for inbound, CLIENT per
 * attempt for outbound, under one INTERNAL span if there was more than one attempt or a queue.
 */
export class SpanWriter {
  readonly #origin: SpanOrigin;
  readonly #ids: RandomIds;
  readonly #options: SpanWriterOptions;
  readonly #emit: (span: ReadableSpan) => void;

  constructor(
    origin: SpanOrigin,
    ids: RandomIds,
    options: SpanWriterOptions,
    emit: (span: ReadableSpan) => void,
  ) {
    this.#origin = origin;
    this.#ids = ids;
    this.#options = options;
    this.#emit = emit;
  }

  /** `reason` is the `outrigger.sampling.reason` of a root; returns how many spans were made. */
  write(request: RequestRecord, reason: string | null): number {
    const { trace } = request;
    const spanId = trace.spanId === '' ? this.#ids.spanId() : trace.spanId;
    if (request.direction === 'inbound') {
      this.#make(request, this.#server(request, spanId), reason);
      return 1;
    }
    const { attempts } = request;
    if (attempts.length === 0) {
      this.#make(request, this.#client(request, null, 0, spanId, trace.parentSpanId), reason);
      return 1;
    }
    const wrapped = needsOwnSpan(request);
    if (wrapped) this.#make(request, this.#internal(request, spanId), reason);
    const parent = wrapped ? spanId : trace.parentSpanId;
    for (let index = 0; index < attempts.length; index++) {
      const attempt = attempts[index] as AttemptRecord;
      const own = attempt.spanId === '' ? this.#ids.spanId() : attempt.spanId;
      const draft = this.#client(request, attempt, index, own, parent);
      if (!wrapped) addRequestAttributes(request, draft.attributes);
      this.#make(request, draft, wrapped ? null : reason);
    }
    return attempts.length + (wrapped ? 1 : 0);
  }

  #server(request: RequestRecord, spanId: string): Draft {
    const error = serverError(request.status, request.code);
    const attributes = serverAttributes(request, this.#options.methods, error);
    if (this.#options.duplicateHttpNames) addOldHttpNames(attributes, 'server');
    const method = this.#methodName(request);
    return {
      name: request.template === null ? method : `${method} ${request.template}`,
      kind: SpanKind.SERVER,
      spanId,
      parentSpanId: request.trace.parentSpanId,
      startMs: request.startMs,
      endMs: request.endMs,
      attributes,
      error,
    };
  }

  #client(
    request: RequestRecord,
    attempt: AttemptRecord | null,
    index: number,
    spanId: string,
    parentSpanId: string,
  ): Draft {
    const error =
      attempt === null
        ? clientError(request.status, request.code)
        : clientError(attempt.status, attempt.code);
    const attributes = clientAttributes(request, attempt, index, this.#options.methods, error);
    if (attempt === null) addRequestAttributes(request, attributes);
    if (this.#options.duplicateHttpNames) addOldHttpNames(attributes, 'client');
    return {
      name: this.#methodName(request),
      kind: SpanKind.CLIENT,
      spanId,
      parentSpanId,
      startMs: attempt === null ? request.startMs : attempt.startMs,
      endMs: attempt === null || attempt.endMs === 0 ? request.endMs : attempt.endMs,
      attributes,
      error,
    };
  }

  #internal(request: RequestRecord, spanId: string): Draft {
    const attributes: SpanAttributes = {};
    if (request.service !== '') attributes['service.peer.name'] = request.service;
    const error = clientError(request.status, request.code);
    if (error !== null) attributes['error.type'] = error;
    addRequestAttributes(request, attributes);
    return {
      name: request.service === '' ? 'outbound' : `outbound ${request.service}`,
      kind: SpanKind.INTERNAL,
      spanId,
      parentSpanId: request.trace.parentSpanId,
      startMs: request.startMs,
      endMs: request.endMs,
      attributes,
      error,
    };
  }

  #make(request: RequestRecord, draft: Draft, reason: string | null): void {
    const { trace } = request;
    const { limits } = this.#options;
    const root = draft.parentSpanId === '';
    if (root && reason !== null) draft.attributes['outrigger.sampling.reason'] = reason;
    const { attributes, dropped } = limitAttributes(draft.attributes, limits);
    const state = trace.traceState === null ? null : createTraceState(trace.traceState);
    const context = contextOf(trace.traceId, draft.spanId, false, state);
    const parent = root
      ? null
      : contextOf(
          trace.traceId,
          draft.parentSpanId,
          // A parent of another process, or the INTERNAL span made just before.
          draft.parentSpanId === trace.parentSpanId,
          state,
        );
    const link = root ? linkOf(trace) : null;
    const fits = link !== null && limits.links > 0;
    this.#emit(
      new FinishedSpan(
        this.#origin,
        draft.name,
        draft.kind,
        context,
        parent,
        timeOf(request, draft.startMs),
        timeOf(request, draft.endMs),
        draft.error === null ? UNSET : this.#errorStatus(request, draft.error),
        attributes,
        fits ? link : null,
        { attributes: dropped, links: link !== null && !fits ? 1 : 0 },
      ),
    );
  }

  /** A status says it all; a code gets its sentence. */
  #errorStatus(request: RequestRecord, error: string): SpanStatus {
    const title = this.#options.titleOf(error);
    const message = error === request.code && request.detail !== '' ? request.detail : title;
    return message === null
      ? { code: SpanStatusCode.ERROR }
      : { code: SpanStatusCode.ERROR, message };
  }

  #methodName(request: RequestRecord): string {
    const index = this.#options.methods.indexOf(request.method);
    return index === 0 ? 'HTTP' : this.#options.methods.nameAt(index);
  }
}

const UNSET: SpanStatus = Object.freeze({ code: SpanStatusCode.UNSET });

function contextOf(
  traceId: string,
  spanId: string,
  isRemote: boolean,
  state: TraceState | null,
): SpanContext {
  const traceFlags = TraceFlags.SAMPLED;
  return state === null
    ? { traceId, spanId, traceFlags, isRemote }
    : { traceId, spanId, traceFlags, isRemote, traceState: state };
}

function linkOf(trace: RequestTrace): Link | null {
  const { link } = trace;
  if (link === undefined || link === null) return null;
  const { traceId, spanId } = link;
  return { context: { traceId, spanId, traceFlags: TraceFlags.NONE, isRemote: true } };
}

/** One wall-clock anchor per request; everything else is its monotonic distance from it. */
function timeOf(request: RequestRecord, ms: number): HrTime {
  const wallMs = request.startWallMs + (ms - request.startMs);
  const seconds = Math.floor(wallMs / 1000);
  const nanos = Math.min(999_999_999, Math.round((wallMs - seconds * 1000) * 1e6));
  return [seconds, nanos];
}
