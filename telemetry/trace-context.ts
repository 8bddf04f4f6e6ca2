import { isLowerHexId, lowerHexDigit } from './hex.ts';
import type { Carrier } from './record.ts';
import type { ReceivedContext, SentContext, TraceFormat } from './trace-format.ts';
import { validTraceState } from './trace-state.ts';

/** Characters of a version 00 field: version, trace id, parent id and flags with three dashes. */
const LENGTH = 55;
const DASH = 45;
const SAMPLED = 1;
/** The trace id is random (Trace Context Level 2); passed on as received. */
const RANDOM = 2;

/** The end of a field that we write, by its flags. */
const FLAGS = ['-00', '-01', '-02', '-03'];

/** W3C Trace Context: `traceparent` and `tracestate`. */
export class TraceContextFormat implements TraceFormat {
  readonly #unsampledPasses: boolean;
  #parents = 0;
  #states = 0;
  #state = '';
  readonly #visit = (name: string, value: string): void => {
    if (name.length === 11 && isName(name, 'traceparent')) this.#parents++;
    else if (name.length === 10 && isName(name, 'tracestate')) {
      // Several lines are one list (RFC 9110 §5.3).
      this.#state = this.#states++ === 0 ? value : `${this.#state},${value}`;
    }
  };

  /**
   * `unsampledPasses`: an unsampled context is passed on as it is, so nobody needs its trace state, and
   * looking for duplicates, which costs more than all the rest, would change nothing.
   */
  constructor(unsampledPasses: boolean) {
    this.#unsampledPasses = unsampledPasses;
  }

  extract(headers: Carrier, into: ReceivedContext): boolean {
    const parent = headers.get('traceparent');
    if (parent === null || !validTraceparent(parent)) return false;
    into.sampled = (flagsOf(parent) & SAMPLED) !== 0;
    into.traceState = null;
    if (into.sampled || !this.#unsampledPasses) {
      if (!this.#isOnly(headers)) return false;
      if (validTraceState(this.#state)) into.traceState = this.#state;
      this.#state = '';
    }
    into.traceId = parent.slice(3, 35);
    into.spanId = parent.slice(36, 52);
    return true;
  }

  inject(headers: Carrier, context: SentContext): void {
    const received = context.continued ? headers.get('traceparent') : null;
    const random = received !== null && validTraceparent(received) && flagsOf(received) & RANDOM;
    const flags = (context.sampled ? SAMPLED : 0) | (random === RANDOM ? RANDOM : 0);
    headers.set('traceparent', `00-${context.traceId}-${context.spanId}${FLAGS[flags] as string}`);
    if (!context.keepTraceState && headers.get('tracestate') !== null) headers.remove('tracestate');
  }

  /** One `traceparent` field and no more; finds the trace state on the way. */
  #isOnly(headers: Carrier): boolean {
    this.#parents = 0;
    this.#states = 0;
    this.#state = '';
    headers.forEach(this.#visit);
    return this.#parents === 1;
  }
}

/** Level 2, §3.2.2: version 00 is exactly this long, later ones may go on after a dash, ff is forbidden. */
function validTraceparent(text: string): boolean {
  if (text.length < LENGTH) return false;
  const high = lowerHexDigit(text.charCodeAt(0));
  const low = lowerHexDigit(text.charCodeAt(1));
  if (high === 16 || low === 16 || (high === 15 && low === 15)) return false;
  if (text.length > LENGTH) {
    if (high === 0 && low === 0) return false;
    if (text.charCodeAt(LENGTH) !== DASH) return false;
  }
  return (
    text.charCodeAt(2) === DASH &&
    isLowerHexId(text, 3, 35) &&
    text.charCodeAt(35) === DASH &&
    isLowerHexId(text, 36, 52) &&
    text.charCodeAt(52) === DASH &&
    lowerHexDigit(text.charCodeAt(53)) !== 16 &&
    lowerHexDigit(text.charCodeAt(54)) !== 16
  );
}

/** The low four flags of a valid field; no higher one is defined. */
function flagsOf(text: string): number {
  return lowerHexDigit(text.charCodeAt(54));
}

/** `name` is `lower` but for ASCII case; both are equally long. */
function isName(name: string, lower: string): boolean {
  for (let at = 0; at < lower.length; at++) {
    const code = name.charCodeAt(at);
    if ((code >= 65 && code <= 90 ? code + 32 : code) !== lower.charCodeAt(at)) return false;
  }
  return true;
}
