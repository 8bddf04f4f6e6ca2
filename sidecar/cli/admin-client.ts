import { request } from 'node:http';
import type { Console } from './console.ts';
import { exitCodes } from './exit-codes.ts';

export type AdminAnswer =
  | { readonly ok: true; readonly status: number; readonly body: unknown }
  /** `problem`: one sentence about why there is no answer. */
  | { readonly ok: false; readonly problem: string };

const TIMEOUT_MS = 5000;
/** A sidecar with a thousand services stays far below. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Asks the admin API of a sidecar once. `base` is its address, such as `http://127.0.0.1:15000`. */
export function askAdmin(base: string, method: 'GET' | 'POST', path: string): Promise<AdminAnswer> {
  const url = adminUrl(base, path);
  if (url === null) {
    return Promise.resolve({
      ok: false,
      problem: 'expected an address such as http://127.0.0.1:15000',
    });
  }
  return new Promise((resolve) => {
    const outgoing = request(url, { method, agent: false, timeout: TIMEOUT_MS }, (response) => {
      const pieces: Buffer[] = [];
      let length = 0;
      response.on('data', (piece: Buffer) => {
        length += piece.length;
        if (length > MAX_BYTES) outgoing.destroy(new Error('the answer is too long'));
        else pieces.push(piece);
      });
      response.once('error', (error) => resolve({ ok: false, problem: error.message }));
      response.once('end', () => {
        resolve(readAnswer(response.statusCode ?? 0, Buffer.concat(pieces).toString('utf8')));
      });
    });
    outgoing.once('timeout', () => outgoing.destroy(new Error('no answer in time')));
    outgoing.once('error', (error: NodeJS.ErrnoException) => {
      resolve({ ok: false, problem: error.code ?? error.message });
    });
    outgoing.end();
  });
}

/**
 * What a command shows: asks, and explains on the console when there is nothing to show. Then the exit
 * code comes back instead of a body.
 */
export async function askOrExplain(
  base: string,
  method: 'GET' | 'POST',
  path: string,
  console: Console,
): Promise<{ readonly body: unknown } | { readonly exitCode: number }> {
  const answer = await askAdmin(base, method, path);
  if (!answer.ok) {
    console.err(
      `sidecar not reachable at ${base}: ${answer.problem} (another one: --admin, OUTRIGGER_ADMIN)`,
    );
    return { exitCode: exitCodes.unreachable };
  }
  if (answer.status < 200 || answer.status > 299) {
    const said = (answer.body as { error?: unknown } | null)?.error;
    console.err(typeof said === 'string' ? said : `the sidecar answered ${answer.status}`);
    return { exitCode: exitCodes.failure };
  }
  return { body: answer.body };
}

function readAnswer(status: number, text: string): AdminAnswer {
  try {
    return { ok: true, status, body: JSON.parse(text) as unknown };
  } catch {
    return { ok: false, problem: 'what answers there is not a sidecar' };
  }
}

function adminUrl(base: string, path: string): URL | null {
  const absolute = base.includes('://') ? base : `http://${base}`;
  if (!URL.canParse(absolute)) return null;
  const url = new URL(absolute);
  return url.protocol === 'http:' ? new URL(path, url) : null;
}
