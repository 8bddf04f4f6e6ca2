import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { SaturationLoad, SaturationResult } from './saturation-load.ts';

/**
 * Runs wrk with one thread and reads what it prints. Throws when it saw a socket error, an answer other than 2xx or 3xx, or
 * too few bytes. Its latencies are closed-loop and not used.
 */
export async function runWrk(wrk: string, load: SaturationLoad): Promise<SaturationResult> {
  const { stdout } = await promisify(execFile)(wrk, [
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
