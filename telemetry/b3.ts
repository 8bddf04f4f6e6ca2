import { normalizeId } from './hex.ts';
import type { Carrier } from './record.ts';
import type { ReceivedContext, SentContext, TraceFormat } from './trace-format.ts';

const MULTI = [
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-flags',
] as const;

/**
 * B3 (openzipkin/b3-propagation): reads the single field and the `X-B3-*` fields, writes one of the two
 * and removes the other. A parent span id is never sent.
 */
export class B3Format implements TraceFormat {
  readonly #multi: boolean;

  constructor(form: 'single' | 'multi') {
    this.#multi = form === 'multi';
  }

  extract(headers: Carrier, into: ReceivedContext): boolean {
    const single = headers.get('b3');
    if (single !== null && readSingle(single, into)) return true;
    return readMulti(headers, into);
  }

  inject(headers: Carrier, context: SentContext): void {
    const { traceId, spanId, sampled } = context;
    // Debug asks every hop to record and survives as long as we follow it.
    const debug = sampled && context.continued && isDebug(headers);
    for (const name of MULTI) if (headers.get(name) !== null) headers.remove(name);
    if (!this.#multi) {
      headers.set('b3', `${traceId}-${spanId}-${debug ? 'd' : sampled ? '1' : '0'}`);
      return;
    }
    if (headers.get('b3') !== null) headers.remove('b3');
    headers.set('x-b3-traceid', traceId);
    headers.set('x-b3-spanid', spanId);
    if (debug) headers.set('x-b3-flags', '1');
    else headers.set('x-b3-sampled', sampled ? '1' : '0');
  }
}

/** `{traceid}-{spanid}[-{state}[-{parent}]]`, or the state alone. */
function readSingle(value: string, into: ReceivedContext): boolean {
  if (value.length === 1) {
    const sampled = readState(value);
    if (sampled === null) return false;
    return fill(into, '', '', sampled);
  }
  const parts = value.length > 90 ? [] : value.split('-');
  if (parts.length < 2 || parts.length > 4) return false;
  const state = parts[2];
  const sampled = state === undefined ? null : readState(state);
  if (state !== undefined && sampled === null) return false;
  return fillIds(into, parts[0] as string, parts[1] as string, sampled);
}

function readMulti(headers: Carrier, into: ReceivedContext): boolean {
  const trace = headers.get('x-b3-traceid');
  const span = headers.get('x-b3-spanid');
  const state = headers.get('x-b3-sampled');
  const sampled =
    headers.get('x-b3-flags') === '1' ? true : state === null ? null : readState(state);
  if (state !== null && sampled === null) return false;
  if (trace === null || span === null) return sampled !== null && fill(into, '', '', sampled);
  return fillIds(into, trace, span, sampled);
}

function fillIds(
  into: ReceivedContext,
  trace: string,
  span: string,
  sampled: boolean | null,
): boolean {
  if ((trace.length !== 16 && trace.length !== 32) || span.length !== 16) return false;
  const traceId = normalizeId(trace, 32);
  const spanId = normalizeId(span, 16);
  return traceId !== null && spanId !== null && fill(into, traceId, spanId, sampled);
}

function fill(
  into: ReceivedContext,
  traceId: string,
  spanId: string,
  sampled: boolean | null,
): boolean {
  into.traceId = traceId;
  into.spanId = spanId;
  into.sampled = sampled;
  into.traceState = null;
  return true;
}

function readState(state: string): boolean | null {
  if (state === '1' || state === 'd' || state === 'true') return true;
  return state === '0' || state === 'false' ? false : null;
}

function isDebug(headers: Carrier): boolean {
  if (headers.get('x-b3-flags') === '1') return true;
  const single = headers.get('b3');
  return single !== null && (single === 'd' || single.split('-', 3)[2] === 'd');
}
