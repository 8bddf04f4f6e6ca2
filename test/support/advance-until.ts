import type { FakeClock } from './fake-clock.ts';

/**
 * Moves a fake clock on in small steps, letting sockets and promises work in between, until the
 * condition holds; throws what `describe` says when it never does. Returns the fake time it took.
 */
export async function advanceUntil(
  clock: FakeClock,
  condition: () => boolean,
  describe: () => string,
  { stepMs = 10, limit = 3_000 }: { stepMs?: number; limit?: number } = {},
): Promise<number> {
  const startMs = clock.now();
  for (let i = 0; i < limit; i++) {
    if (condition()) return clock.now() - startMs;
    clock.advance(stepMs);
    await new Promise((resolve) => setTimeout(resolve, i < 50 ? 0 : 1));
  }
  throw new Error(describe());
}
