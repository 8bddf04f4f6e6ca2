import { type ProtobufField, readFields } from './protobuf-reader.ts';

export type OtlpValue = string | number | boolean | readonly OtlpValue[];
export type OtlpAttributes = Record<string, OtlpValue>;

/** One span as a collector sees it. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  readonly kind: 'UNSPECIFIED' | 'INTERNAL' | 'SERVER' | 'CLIENT';
  readonly startNanos: bigint;
  readonly endNanos: bigint;
  readonly attributes: OtlpAttributes;
  readonly status: { readonly code: 'UNSET' | 'OK' | 'ERROR'; readonly message: string };
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly resource: OtlpAttributes;
  readonly scope: string;
}

/** One data point of a metric; histograms carry count, sum and buckets. */
export interface OtlpPoint {
  readonly name: string;
  readonly unit: string;
  readonly kind: 'gauge' | 'sum' | 'histogram';
  readonly delta: boolean;
  readonly monotonic: boolean;
  readonly attributes: OtlpAttributes;
  readonly value: number;
  readonly count: number;
}

const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT'] as const;
const CODES = ['UNSET', 'OK', 'ERROR'] as const;

/** The spans of an ExportTraceServiceRequest. */
export function decodeSpans(request: Buffer): readonly OtlpSpan[] {
  const spans: OtlpSpan[] = [];
  for (const { resource, scope, item } of items(request)) {
    spans.push({ ...decodeSpan(item), resource, scope });
  }
  return spans;
}

/** The data points of an ExportMetricsServiceRequest. */
export function decodePoints(request: Buffer): readonly OtlpPoint[] {
  return [...items(request)].flatMap(({ item }) => decodeMetric(item));
}

/** Both requests nest alike: resource (1, 2), scope (1), items (2). */
function* items(
  request: Buffer,
): Iterable<{ resource: OtlpAttributes; scope: string; item: Buffer }> {
  for (const group of all(request, 1)) {
    const resource = attributesOf(first(group, 1), 1);
    for (const scoped of all(group, 2)) {
      const scope = text(first(scoped, 1), 1);
      for (const item of all(scoped, 2)) yield { resource, scope, item };
    }
  }
}

function decodeSpan(span: Buffer): Omit<OtlpSpan, 'resource' | 'scope'> {
  const status = first(span, 15);
  return {
    traceId: first(span, 1).toString('hex'),
    spanId: first(span, 2).toString('hex'),
    parentSpanId: first(span, 4).toString('hex'),
    traceState: text(span, 3),
    name: text(span, 5),
    kind: KINDS[varint(span, 6)] ?? 'UNSPECIFIED',
    startNanos: first(span, 7).readBigUInt64LE(),
    endNanos: first(span, 8).readBigUInt64LE(),
    attributes: attributesOf(span, 9),
    status: { code: CODES[varint(status, 3)] ?? 'UNSET', message: text(status, 2) },
    links: all(span, 13).map((link) => ({
      traceId: first(link, 1).toString('hex'),
      spanId: first(link, 2).toString('hex'),
    })),
  };
}

function decodeMetric(metric: Buffer): readonly OtlpPoint[] {
  const points: OtlpPoint[] = [];
  for (const [number, kind] of [
    [5, 'gauge'],
    [7, 'sum'],
    [9, 'histogram'],
  ] as const) {
    for (const data of all(metric, number)) {
      for (const point of all(data, 1)) {
        const isHistogram = kind === 'histogram';
        const value = first(point, isHistogram ? 5 : 4);
        const integer = first(point, 6);
        points.push({
          name: text(metric, 1),
          unit: text(metric, 3),
          kind,
          delta: varint(data, 2) === 1,
          monotonic: varint(data, 3) === 1,
          attributes: attributesOf(point, isHistogram ? 9 : 7),
          value:
            value.length === 8
              ? value.readDoubleLE()
              : isHistogram || integer.length !== 8
                ? 0
                : Number(integer.readBigInt64LE()),
          count: isHistogram ? Number(first(point, 4).readBigUInt64LE()) : 1,
        });
      }
    }
  }
  return points;
}

function attributesOf(message: Buffer, number: number): OtlpAttributes {
  const attributes: OtlpAttributes = {};
  for (const pair of all(message, number)) attributes[text(pair, 1)] = valueOf(first(pair, 2));
  return attributes;
}

function valueOf(any: Buffer): OtlpValue {
  for (const field of readFields(any)) {
    switch (field.number) {
      case 1:
        return field.bytes.toString('utf8');
      case 2:
        return field.varint === 1n;
      case 3:
        return Number(BigInt.asIntN(64, field.varint));
      case 4:
        return field.bytes.readDoubleLE();
      case 5:
        return all(field.bytes, 1).map(valueOf);
      default:
        throw new Error(`OTLP: value of kind ${field.number}`);
    }
  }
  return '';
}

function fields(message: Buffer, number: number): readonly ProtobufField[] {
  return [...readFields(message)].filter((field) => field.number === number);
}

function all(message: Buffer, number: number): readonly Buffer[] {
  return fields(message, number).map((field) => field.bytes);
}

function first(message: Buffer, number: number): Buffer {
  return all(message, number)[0] ?? Buffer.alloc(0);
}

function text(message: Buffer, number: number): string {
  return first(message, number).toString('utf8');
}

function varint(message: Buffer, number: number): number {
  return Number(fields(message, number)[0]?.varint ?? 0n);
}
