import { escapeText } from './escape.ts';
import type { AttemptRecord, RequestRecord } from './record.ts';
import { redactPath } from './redact.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Envoy's default access log format; `-` for what is absent. */
export function envoyLine(request: RequestRecord, rawPath: boolean): string {
  const last = request.attempts[request.attempts.length - 1];
  const start = new Date(request.startWallMs).toISOString();
  const durationMs = Math.round(request.endMs - request.startMs);
  const upstreamMs = last === undefined ? '-' : String(Math.round(upstreamTime(request, last)));
  return (
    `[${start}] "${requestLine(request, rawPath)}" ${request.status} ${request.flags || '-'} ` +
    `${request.bytesIn} ${request.bytesOut} ${durationMs} ${upstreamMs} ` +
    `"${quoted(request.peerAddress)}" "${quoted(request.userAgent)}" "${quoted(request.requestId)}" ` +
    `"${quoted(request.authority)}" "${last === undefined ? '-' : quoted(`${last.address}:${last.port}`)}"\n`
  );
}

/** Common Log Format of httpd, in UTC. */
export function clfLine(request: RequestRecord, rawPath: boolean): string {
  const at = new Date(request.startWallMs);
  const date =
    `${two(at.getUTCDate())}/${MONTHS[at.getUTCMonth()]}/${at.getUTCFullYear()}` +
    `:${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0000`;
  const bytes = request.bytesOut === 0 ? '-' : String(request.bytesOut);
  return `${quoted(request.peerAddress)} - - [${date}] "${requestLine(request, rawPath)}" ${request.status} ${bytes}\n`;
}

function requestLine(request: RequestRecord, rawPath: boolean): string {
  if (request.method === '') return '-';
  const path = rawPath ? redactPath(request.path) : (request.template ?? '-');
  return `${escapeText(request.method)} ${escapeText(path)} HTTP/${request.version}`;
}

function upstreamTime(request: RequestRecord, attempt: AttemptRecord): number {
  return (attempt.endMs === 0 ? request.endMs : attempt.endMs) - attempt.startMs;
}

function quoted(text: string | null): string {
  return text === null || text === '' ? '-' : escapeText(text);
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
