import { expect } from 'chai';
import { Histogram } from '../../telemetry/histogram.ts';
import { WindowedHistogram } from '../../telemetry/windowed-histogram.ts';
import { FakeClock } from '../support/fake-clock.ts';

describe('histogram', () => {
  it('counts a value equal to a bound below it, and what is beyond the last in the last bucket', () => {
    const histogram = new Histogram([1, 2]);
    for (const value of [0.5, 1, 1.5, 2, 3]) histogram.record(value);

    expect([...histogram.counts]).to.deep.equal([2, 2, 1]);
    expect(histogram).to.include({ count: 5, sum: 8 });
  });
});

describe('windowed histogram', () => {
  it('has no quantile without values', () => {
    expect(new WindowedHistogram(new FakeClock()).quantile(0.5)).to.equal(null);
  });

  for (const q of [0.01, 0.5, 0.9, 0.99, 1]) {
    it(`is within 10 % of the true quantile ${q}`, () => {
      const clock = new FakeClock({ seed: 5 });
      const histogram = new WindowedHistogram(clock);
      const values = Array.from({ length: 5000 }, () => 0.1 * 10 ** (4 * clock.random()));
      for (const value of values) histogram.record(value);
      const truth = values.sort((a, b) => a - b)[Math.ceil(q * values.length) - 1] as number;

      expect(histogram.quantile(q)).to.be.within(truth * 0.9, truth * 1.1);
    });
  }

  it('forgets what is older than about ten seconds', () => {
    const clock = new FakeClock({ nowMs: 0 });
    const histogram = new WindowedHistogram(clock);
    histogram.record(100);
    clock.advance(4000);
    histogram.record(1);

    clock.advance(3999);
    expect(histogram.count).to.equal(2);
    clock.advance(3000);
    expect(histogram.count).to.equal(1);
    expect(histogram.quantile(1)).to.be.within(0.9, 1.1);
    clock.advance(60_000);
    expect(histogram.count).to.equal(0);
    expect(histogram.quantile(0.5)).to.equal(null);
  });

  it('takes values beyond both ends for the nearest it can tell', () => {
    const histogram = new WindowedHistogram(new FakeClock());
    for (const value of [0, -1, Number.NaN]) histogram.record(value);
    histogram.record(1e9);

    expect(histogram.quantile(0.75)).to.be.below(0.05);
    expect(histogram.quantile(1)).to.be.within(100_000, 150_000);
  });
});
