import { expect } from 'chai';
import { WallTime } from '../../telemetry/wall-time.ts';

const ORIGIN_MS = 1_700_000_000_000.25;

/** A monotonic clock and a date of whole milliseconds, which can be set. */
function machine(): { time: WallTime; pass: (ms: number) => void; set: (ms: number) => void } {
  let monotonicMs = 0;
  let setMs = 0;
  const time = new WallTime(ORIGIN_MS, {
    monotonic: () => monotonicMs,
    wall: () => Math.floor(ORIGIN_MS + monotonicMs + setMs),
  });
  return {
    time,
    pass: (ms) => {
      monotonicMs += ms;
    },
    set: (ms) => {
      setMs += ms;
    },
  };
}

describe('wall time', () => {
  it('tells moments of one millisecond apart', () => {
    const { time, pass } = machine();
    const first = time.now();
    pass(0.125);

    expect(first).to.equal(ORIGIN_MS);
    expect(time.now() - first).to.equal(0.125);
  });

  it('keeps its fraction however often it is compared with the whole milliseconds of the system', () => {
    const { time, pass } = machine();
    for (let second = 0; second < 100; second++) {
      pass(1000.25);
      time.now();
    }

    expect(time.now()).to.equal(ORIGIN_MS + 100 * 1000.25);
  });

  for (const ms of [60_000, -60_000]) {
    it(`follows within a second when the system's clock is set by ${ms} ms`, () => {
      const { time, pass, set } = machine();
      time.now();
      set(ms);
      pass(1000);

      expect(time.now()).to.be.closeTo(ORIGIN_MS + ms + 1000, 1);
    });
  }
});
