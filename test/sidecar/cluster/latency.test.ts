import { expect } from 'chai';
import fc from 'fast-check';
import { Latency } from '../../../sidecar/cluster/latency.ts';
import { FakeClock } from '../../support/fake-clock.ts';

describe('latency', () => {
  it('gives quantiles at most 10 % above the true ones', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.1, max: 60_000, noNaN: true }), {
          minLength: 1,
          maxLength: 200,
        }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (times, share) => {
          const latency = new Latency(new FakeClock());
          for (const ms of times) latency.record(ms);
          const sorted = times.toSorted((a, b) => a - b);
          const exact = sorted[Math.max(0, Math.ceil(times.length * share) - 1)] as number;

          expect(latency.quantile(share)).to.be.within(exact * 0.999_999, exact * 1.1);
        },
      ),
    );
  });

  it('forgets what is older than ten seconds, and remembers five', () => {
    const clock = new FakeClock();
    const latency = new Latency(clock);
    latency.record(5);

    clock.advance(5500);
    expect(latency.quantile(0.5)).to.not.equal(null);
    clock.advance(5000);

    expect(latency.quantile(0.5)).to.equal(null);
  });

  it('takes times that are off its scale', () => {
    const latency = new Latency(new FakeClock());
    latency.record(0);
    latency.record(1e12);

    expect(latency.quantile(0.5)).to.equal(1 / 16);
    expect(latency.quantile(1)).to.be.above(500_000);
  });
});
