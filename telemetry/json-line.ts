import { escapeJson } from './escape.ts';
import { formatMs } from './milliseconds.ts';
import { failed, needsOwnSpan } from './outcome.ts';
import type { AttemptRecord, RequestRecord } from './record.ts';
import { redactPath } from './redact.ts';
import { proxyMs } from './span-attributes.ts';

/** What the catalogue says about codes, ready to be put between quotes. */
export type Explanations = (code: string) => { readonly title: string } | null;

const INFO = 30;
const WARN = 40;

/** One access log line in pino's format (`telemetry.md` §7), built by hand; absent values are left out. */
export function jsonLine(request: RequestRecord, rawPath: boolean, explain: Explanations): string {
  const { trace, attempts } = request;
  const timeMs = Math.round(request.startWallMs + (request.endMs - request.startMs));
  let line = `{"level":${failed(request) ? WARN : INFO},"time":${timeMs},"direction":"${request.direction}"`;
  if (request.method !== '') line += `,"method":"${escapeJson(request.method)}"`;
  line += `,"scheme":"${request.scheme}"`;
  if (request.authority !== '') line += `,"authority":"${escapeJson(request.authority)}"`;
  if (rawPath && request.path !== '') line += `,"path":"${escapeJson(redactPath(request.path))}"`;
  else if (request.template !== null) line += `,"path":"${escapeJson(request.template)}"`;
  if (request.version !== '') line += `,"protocol":"HTTP/${request.version}"`;
  if (request.route !== '') line += `,"route":"${escapeJson(request.route)}"`;
  if (request.status !== 0) line += `,"status":${request.status}`;
  if (request.code !== null) line += failureFields(request, request.code, explain);
  else if (request.flags !== '') line += `,"flags":"${escapeJson(request.flags)}"`;
  line += `,"bytes_in":${request.bytesIn},"bytes_out":${request.bytesOut},"duration_ms":${formatMs(request.endMs - request.startMs)}`;
  if (request.headMs !== 0) line += `,"ttfb_ms":${formatMs(request.headMs - request.startMs)}`;
  const last = attempts.length === 0 ? null : (attempts[attempts.length - 1] as AttemptRecord);
  if (last !== null) {
    const endMs = last.endMs === 0 ? request.endMs : last.endMs;
    line += `,"upstream_ms":${formatMs(endMs - last.startMs)}`;
  }
  if (request.queueMs > 0) line += `,"queue_ms":${formatMs(request.queueMs)}`;
  const ownMs = proxyMs(request);
  if (ownMs !== null) line += `,"proxy_ms":${formatMs(ownMs)}`;
  if (last !== null) line += upstreamFields(request, last);
  else if (request.service !== '') line += `,"upstream_service":"${escapeJson(request.service)}"`;
  if (request.requestId !== '') line += `,"request_id":"${escapeJson(request.requestId)}"`;
  if (trace.traceId !== '') line += `,"trace_id":"${trace.traceId}"`;
  if (trace.sampled) {
    const lent = request.direction === 'outbound' && last !== null && !needsOwnSpan(request);
    line += `,"span_id":"${lent ? last.spanId : trace.spanId}"`;
  }
  line += `,"sampled":${trace.sampled}`;
  if (request.peerAddress !== '') line += `,"client_address":"${request.peerAddress}"`;
  if (request.userAgent !== null) line += `,"user_agent":"${escapeJson(request.userAgent)}"`;
  return `${line},"config_generation":${request.generation}}\n`;
}

function failureFields(request: RequestRecord, code: string, explain: Explanations): string {
  let fields = `,"error_type":"${code}"`;
  if (request.flags !== '') fields += `,"flags":"${escapeJson(request.flags)}"`;
  const known = explain(code);
  const text = request.detail !== '' ? request.detail : (known?.title ?? '');
  if (text !== '') fields += `,"flag_text":"${escapeJson(text)}"`;
  if (request.fix !== '') fields += `,"fix":"${escapeJson(request.fix)}"`;
  return fields;
}

function upstreamFields(request: RequestRecord, last: AttemptRecord): string {
  const { attempts } = request;
  let fields = '';
  if (Number.isFinite(last.deadlineRemainingMs)) {
    fields += `,"deadline_ms":${Math.round(last.deadlineRemainingMs)}`;
  }
  if (request.service !== '') fields += `,"upstream_service":"${escapeJson(request.service)}"`;
  fields += `,"upstream_host":"${hostOf(last)}"`;
  if (last.zone !== '') fields += `,"upstream_zone":"${escapeJson(last.zone)}"`;
  if (request.localZone !== '') fields += `,"local_zone":"${escapeJson(request.localZone)}"`;
  fields += `,"lb_reason":"${last.lbReason}","attempts":${attempts.length}`;
  if (attempts.length > 1) {
    fields += ',"attempt_hosts":[';
    for (let index = 0; index < attempts.length; index++) {
      fields += `${index === 0 ? '' : ','}"${hostOf(attempts[index] as AttemptRecord)}"`;
    }
    fields += ']';
  }
  fields += `,"conn_reused":${last.reused}`;
  if (last.reused) fields += `,"conn_age_ms":${Math.round(last.connectionAgeMs)}`;
  return fields;
}

/** Registry text: an address is one, whoever registered it. */
function hostOf(attempt: AttemptRecord): string {
  const address = escapeJson(attempt.address);
  return address.includes(':') ? `[${address}]:${attempt.port}` : `${address}:${attempt.port}`;
}
