import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findPeer } from '../../test/tools/peers.mjs';

export interface SaturationLoad {
  readonly port: number;
  readonly path: string;
  readonly bodyBytes: number;
  readonly connections: number;
  readonly seconds: number;
}

export interface SaturationResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
}

/**
 * Keeps every connection busy with wrk (one thread) and answers how much was done. Throws when an answer was not 2xx, a
 * socket failed or bytes are missing: such a run measures something else. wrk's latencies are closed-loop and not used.
 */
export async function saturate(load: SaturationLoad): Promise<SaturationResult> {
  const { stdout } = await promisify(execFile)(wrkPath(), [
    '--threads=1',
    `--connections=${load.connections}`,
    `--duration=${load.seconds}s`,
    '--timeout=10s',
    `http://127.0.0.1:${load.port}${load.path}`,
  ]);
  const trouble = /^\s+(Socket errors: .*|Non-2xx .*)$/m.exec(stdout);
  if (trouble !== null) throw new Error(`wrk reports: ${trouble[1]}`);
  const summary = /^\s+(\d+) requests in ([\d.]+)(m?s|m), ([\d.]+)([KMGT]?)B read$/m.exec(stdout);
  if (summary === null) throw new Error(`wrk prints no summary:\n${stdout}`);
  const [, requestsText, , , bytesText, unit = ''] = summary;
  const requests = Number(requestsText);
  const bytes = Number(bytesText) * 1024 ** ['', 'K', 'M', 'G', 'T'].indexOf(unit);
  // wrk rounds to two decimals.
  if (requests === 0 || bytes < requests * load.bodyBytes * 0.99) {
    throw new Error(`wrk read ${bytes} bytes in ${requests} requests of ${load.bodyBytes} each`);
  }
  const rate = /^Requests\/sec:\s+([\d.]+)$/m.exec(stdout);
  return { requests, requestsPerSecond: Number(rate?.[1]) };
}

function wrkPath(): string {
  const path = findPeer('wrk');
  if (path === null) throw new Error('wrk makes the load and is not installed');
  return path;
}
