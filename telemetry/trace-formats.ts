import { B3Format } from './b3.ts';
import { JaegerFormat } from './jaeger.ts';
import type { PropagatorName } from './options.ts';
import { TraceContextFormat } from './trace-context.ts';
import type { TraceFormat } from './trace-format.ts';
import { XrayFormat } from './xray.ts';

/** How each name is made; baggage passes by itself, because nobody touches its field. */
const factories: Readonly<Record<PropagatorName, ((parentBased: boolean) => TraceFormat) | null>> =
  {
    tracecontext: (parentBased) => new TraceContextFormat(parentBased),
    baggage: null,
    b3: () => new B3Format('single'),
    b3multi: () => new B3Format('multi'),
    jaeger: () => new JaegerFormat(),
    xray: () => new XrayFormat(),
    none: null,
  };

/**
 * The formats by name, W3C first because it wins when several are received; `none` among them means none.
 * `parentBased`: a caller's decision against sampling is final.
 */
export function traceFormats(
  names: readonly PropagatorName[],
  parentBased: boolean,
): readonly TraceFormat[] {
  if (names.includes('none')) return [];
  const ordered = [...names].sort(
    (a, b) => Number(b === 'tracecontext') - Number(a === 'tracecontext'),
  );
  const formats: TraceFormat[] = [];
  for (const name of ordered) {
    const make = factories[name];
    if (make !== null) formats.push(make(parentBased));
  }
  return formats;
}
