import { normalizeId } from './hex.ts';
import type { Carrier } from './record.ts';
import type { ReceivedContext, SentContext, TraceFormat } from './trace-format.ts';

const FIELD = 'uber-trace-id';

/** Jaeger's own format: `{trace}:{span}:{parent}:{flags}`, ids without leading zeros allowed, colons perhaps escaped. */
export class JaegerFormat implements TraceFormat {
  extract(headers: Carrier, into: ReceivedContext): boolean {
    const value = headers.get(FIELD);
    if (value === null || value.length > 100) return false;
    const parts = value.split(value.includes(':') ? ':' : '%3A');
    const flags = parts[3];
    if (parts.length !== 4 || flags === undefined) return false;
    const traceId = normalizeId(parts[0] as string, 32);
    const spanId = normalizeId(parts[1] as string, 16);
    const bits = flagBits(flags);
    if (traceId === null || spanId === null || bits === null) return false;
    into.traceId = traceId;
    into.spanId = spanId;
    into.sampled = (bits & 1) !== 0;
    into.traceState = null;
    return true;
  }

  inject(headers: Carrier, context: SentContext): void {
    const { traceId, spanId, sampled } = context;
    headers.set(FIELD, `${traceId}:${spanId}:0:${sampled ? '1' : '0'}`);
  }
}

/** One or two hex digits; null for anything else. */
function flagBits(text: string): number | null {
  if (text === '0' || text === '00') return 0;
  const byte = normalizeId(text, 2);
  return byte === null ? null : Number.parseInt(byte, 16);
}
