import type { MeshProcess } from './mesh-process.ts';

/** The mesh could not be brought up; the message says which part and shows its last output. */
export class MeshStartError extends Error {}

/**
 * Polls until the condition holds. After half a minute, or when the signal comes, a `MeshStartError`
 * with what `complaint` says is missing.
 */
export async function waitUntil(
  condition: () => Promise<boolean>,
  complaint: () => Promise<string>,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  while (!(await condition())) {
    if (signal.aborted) throw new MeshStartError('interrupted');
    if (performance.now() > deadline) {
      throw new MeshStartError(`not up within ${TIMEOUT_MS / 1000} s: ${await complaint()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Waits for a process to answer; an early end is an error with its last output. */
export async function waitReady(
  child: MeshProcess,
  ready: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  const tail = () => child.output.lines().slice(-TAIL_LINES).join('\n');
  const settled = async () => !child.running || (await ready());
  await waitUntil(settled, async () => `${child.name} is not ready\n${tail()}`, signal);
  if (child.running) return;
  throw new MeshStartError(`${child.name} ended at its start (${child.outcome})\n${tail()}`);
}

const TIMEOUT_MS = 30_000;
const POLL_MS = 50;
const TAIL_LINES = 12;
