import { expect } from 'chai';
import { median, quantile } from '../../bench/measure/quantile.ts';

describe('quantile', () => {
  it('takes the nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i + 1);

    expect(quantile(hundred, 0.5)).to.equal(50);
    expect(quantile(hundred, 0.99)).to.equal(99);
    expect(quantile(hundred, 1)).to.equal(100);
    expect(quantile([7], 0.01)).to.equal(7);
  });

  it('is 0 of nothing', () => {
    expect(quantile([], 0.5)).to.equal(0);
  });
});

describe('median', () => {
  it('is the middle of an odd number of values, whatever their order', () => {
    expect(median([9, 1, 5])).to.equal(5);
  });

  it('is the mean of the two in the middle of an even number', () => {
    expect(median([4, 1, 2, 9])).to.equal(3);
  });
});
