import type { Evidence, Failure } from '../failure.ts';
import { catalogue, type FailureEntry } from '../failure-catalogue.ts';
import type { ResponseHead } from './head.ts';
import { HeaderList } from './headers.ts';

/** What a local answer may say. */
export interface LocalReplyOptions {
  /** Thirty-two hex digits, or empty when the request has no trace. */
  readonly traceId: string;
  /** `x-request-id` as received or given; empty when there is none. */
  readonly requestId: string;
  /** Service that was called, named in the evidence; empty when no route matched. */
  readonly service: string;
  /** The whole story, for the local application; others get code, title and trace id only. */
  readonly full: boolean;
}

/** A response of our own, ready for `Requester`: head, body, end. */
export interface LocalReply {
  readonly head: ResponseHead;
  readonly body: Buffer;
}

/** Methods named to a caller whose method is refused (RFC 9110 §15.5.6 asks for the list). */
const ALLOW = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
const DECLINE = 'declined';

/**
 * The answer to a request that failed here: a problem body (RFC 9457), `outrigger-error` with the code
 * and `Proxy-Status` (RFC 9209). `Retry-After` comes from the evidence `retry_after_ms`. A decline is
 * for sidecars only and has no body.
 */
export function localReply(failure: Failure, options: LocalReplyOptions): LocalReply {
  const entry: FailureEntry = catalogue[failure.code];
  const body =
    failure.code === DECLINE
      ? Buffer.alloc(0)
      : Buffer.from(JSON.stringify(problem(failure, entry, options)), 'utf8');
  const headers = HeaderList.of([
    ['outrigger-error', failure.code],
    ['Proxy-Status', `outrigger; error=${entry.proxyStatus}; details=${failure.code}`],
    ['Cache-Control', 'no-store'],
  ]);
  if (body.length > 0) headers.append('Content-Type', 'application/problem+json');
  if (options.requestId !== '') headers.append('x-request-id', options.requestId);
  if (failure.status === 405) headers.append('Allow', ALLOW);
  const retryAfterMs = failure.evidence['retry_after_ms'];
  if (typeof retryAfterMs === 'number') {
    headers.append('Retry-After', String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
  }
  const head: ResponseHead = {
    status: failure.status,
    headers,
    contentLength: body.length,
    ended: body.length === 0,
  };
  return { head, body };
}

function problem(failure: Failure, entry: FailureEntry, options: LocalReplyOptions): object {
  const brief = {
    type: `urn:outrigger:error:${failure.code}`,
    title: entry.title,
    status: failure.status,
    code: failure.code,
  };
  const trace = options.traceId === '' ? {} : { trace_id: options.traceId };
  if (!options.full) return { ...brief, ...trace };
  const evidence = evidenceOf(failure, options.service);
  return {
    ...brief,
    flag: entry.flag,
    detail: failure.detail === '' ? entry.title : failure.detail,
    evidence,
    cause: fill(entry.cause, evidence),
    fix: fill(entry.fix, evidence),
    docs: `outrigger explain error ${failure.code}`,
    ...trace,
  };
}

/** What helps against a failure, with its evidence filled in; `service` was called, empty for none. */
export function fixOf(failure: Failure, service: string): string {
  return fill(catalogue[failure.code].fix, evidenceOf(failure, service));
}

function evidenceOf({ evidence }: Failure, service: string): Evidence {
  return service === '' ? evidence : { service, ...evidence };
}

/** Puts evidence into the `{name}` places of a sentence; a place without evidence keeps its name. */
function fill(template: string, evidence: Evidence): string {
  let text = '';
  let from = 0;
  for (;;) {
    const open = template.indexOf('{', from);
    const close = open < 0 ? -1 : template.indexOf('}', open);
    if (close < 0) return text + template.slice(from);
    const name = template.slice(open + 1, close);
    const known = Object.hasOwn(evidence, name) ? evidence[name] : undefined;
    text += template.slice(from, open) + (known === undefined ? name : String(known));
    from = close + 1;
  }
}
