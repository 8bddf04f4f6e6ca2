import type { HrTime, Link, SpanContext, SpanKind, SpanStatus } from '@opentelemetry/api';
import type { InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan, TimedEvent } from '@opentelemetry/sdk-trace-base';
import type { SpanAttributes } from './span-attributes.ts';

/** What all spans of this process share. */
export interface SpanOrigin {
  readonly resource: Resource;
  readonly scope: InstrumentationScope;
}

const NO_EVENTS: TimedEvent[] = [];
const NO_LINKS: Link[] = [];

/**
 * A span as processors and exporters of the SDK take it. It is complete when it is made, so nothing is
 * gained by the SDK's own span: that one checks and copies every attribute three times, and with more
 * than sixteen of them its attribute object becomes a slow one.
 */
export class FinishedSpan implements ReadableSpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly parentSpanContext?: SpanContext;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly duration: HrTime;
  readonly status: SpanStatus;
  readonly attributes: SpanAttributes;
  readonly links: Link[];
  readonly events = NO_EVENTS;
  readonly ended = true;
  readonly resource: Resource;
  readonly instrumentationScope: InstrumentationScope;
  readonly droppedAttributesCount: number;
  readonly droppedEventsCount = 0;
  readonly droppedLinksCount: number;
  readonly #context: SpanContext;

  constructor(
    origin: SpanOrigin,
    name: string,
    kind: SpanKind,
    context: SpanContext,
    parent: SpanContext | null,
    startTime: HrTime,
    endTime: HrTime,
    status: SpanStatus,
    attributes: SpanAttributes,
    link: Link | null,
    dropped: { readonly attributes: number; readonly links: number },
  ) {
    this.resource = origin.resource;
    this.instrumentationScope = origin.scope;
    this.name = name;
    this.kind = kind;
    this.#context = context;
    if (parent !== null) this.parentSpanContext = parent;
    this.startTime = startTime;
    this.endTime = endTime;
    this.duration = difference(startTime, endTime);
    this.status = status;
    this.attributes = attributes;
    this.links = link === null ? NO_LINKS : [link];
    this.droppedAttributesCount = dropped.attributes;
    this.droppedLinksCount = dropped.links;
  }

  spanContext(): SpanContext {
    return this.#context;
  }
}

function difference(start: HrTime, end: HrTime): HrTime {
  const seconds = end[0] - start[0];
  const nanos = end[1] - start[1];
  if (seconds < 0 || (seconds === 0 && nanos < 0)) return [0, 0];
  return nanos < 0 ? [seconds - 1, nanos + 1_000_000_000] : [seconds, nanos];
}
