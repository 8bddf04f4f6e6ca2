import { normalizeId } from './hex.ts';
import type { Carrier } from './record.ts';
import type { ReceivedContext, SentContext, TraceFormat } from './trace-format.ts';

const FIELD = 'x-amzn-trace-id';
const MAX_LENGTH = 1024;

/** AWS X-Ray: `Root=1-{8 hex}-{24 hex};Parent={16 hex};Sampled={0|1|?}`, with members of others kept. */
export class XrayFormat implements TraceFormat {
  extract(headers: Carrier, into: ReceivedContext): boolean {
    const value = headers.get(FIELD);
    if (value === null || value.length > MAX_LENGTH) return false;
    let traceId: string | null = null;
    let spanId: string | null = null;
    let sampled: boolean | null = null;
    for (const member of value.split(';')) {
      const [key, text] = splitMember(member);
      if (key === 'Root') traceId = readRoot(text);
      else if (key === 'Parent') spanId = text.length === 16 ? normalizeId(text, 16) : null;
      else if (key === 'Sampled') sampled = text === '1' ? true : text === '0' ? false : null;
    }
    if (traceId === null || spanId === null) return false;
    into.traceId = traceId;
    into.spanId = spanId;
    into.sampled = sampled;
    into.traceState = null;
    return true;
  }

  inject(headers: Carrier, context: SentContext): void {
    const { traceId, spanId, sampled } = context;
    const others = otherMembers(headers.get(FIELD));
    const root = `Root=1-${traceId.slice(0, 8)}-${traceId.slice(8)}`;
    headers.set(FIELD, `${root};Parent=${spanId};Sampled=${sampled ? '1' : '0'}${others}`);
  }
}

function readRoot(text: string): string | null {
  if (text.length !== 35 || !text.startsWith('1-') || text.charAt(10) !== '-') return null;
  return normalizeId(`${text.slice(2, 10)}${text.slice(11)}`, 32);
}

/** Such as `Lineage`, which is passed on as it came. */
function otherMembers(value: string | null): string {
  if (value === null || value.length > MAX_LENGTH) return '';
  let others = '';
  for (const member of value.split(';')) {
    const [key] = splitMember(member);
    if (key === '' || key === 'Root' || key === 'Parent' || key === 'Sampled') continue;
    others += `;${member}`;
  }
  return others;
}

function splitMember(member: string): readonly [key: string, text: string] {
  let start = 0;
  while (member.charCodeAt(start) === 32) start++;
  const equals = member.indexOf('=', start);
  return equals === -1 ? ['', ''] : [member.slice(start, equals), member.slice(equals + 1)];
}
