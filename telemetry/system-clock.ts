import { performance } from 'node:perf_hooks';
import type { Clock, Timer } from './clock.ts';
import { TimerWheel } from './timer-wheel.ts';
import { WallTime } from './wall-time.ts';

/** Width of one slot of the wheel behind `schedule`, milliseconds: a call-back comes at most this late. */
export const TICK_MS = 10;

/** The clock of production: the system's time, `Math.random`, and one coarse wheel for all waits. */
export const systemClock: Clock = createSystemClock();

function createSystemClock(): Clock {
  const wheel = new TimerWheel(TICK_MS, performance.now());
  const date = new WallTime(performance.timeOrigin, {
    monotonic: () => performance.now(),
    wall: () => Date.now(),
  });
  let armedFor = Number.POSITIVE_INFINITY;
  let handle: NodeJS.Timeout | null = null;

  const turn = (): void => {
    handle = null;
    armedFor = Number.POSITIVE_INFINITY;
    try {
      wheel.advance(performance.now());
    } finally {
      arm();
    }
  };
  const arm = (): void => {
    const next = wheel.nextDueMs();
    if (next >= armedFor) return;
    if (handle !== null) clearTimeout(handle);
    armedFor = next;
    handle = setTimeout(turn, Math.max(1, Math.ceil(next - performance.now())));
    // A wait alone does not keep the process alive: sockets and listeners do.
    handle.unref();
  };

  return {
    now: () => performance.now(),
    wallTime: (atMs) => (atMs === undefined ? date.now() : date.at(atMs)),
    random: Math.random,
    schedule(delayMs: number, callback: () => void): Timer {
      const timer = wheel.insert(performance.now() + delayMs, callback);
      if (timer.dueMs < armedFor) arm();
      return timer;
    },
  };
}
