import { expect } from 'chai';
import { KeepAliveEstimate } from '../../../sidecar/upstream/keep-alive.ts';

describe('keep-alive estimate', () => {
  it('allows 4 s before the first sign', () => {
    const estimate = new KeepAliveEstimate();

    expect(estimate.learnedMs(0)).to.equal(null);
    expect(estimate.limitMs(0)).to.equal(4000);
  });

  it('allows 80 % of what the peer announces', () => {
    const estimate = new KeepAliveEstimate();
    estimate.announced(60_000);
    expect(estimate.limitMs(0)).to.equal(48_000);
    estimate.announced(2000);

    expect(estimate.limitMs(0)).to.equal(1600);
  });

  it('allows no reuse when the peer announces none', () => {
    const estimate = new KeepAliveEstimate();
    estimate.announced(0);

    expect(estimate.limitMs(0)).to.equal(0);
  });

  it('believes two closes after about the same idle time, and takes the shorter', () => {
    const estimate = new KeepAliveEstimate();
    estimate.closedIdle(2050, 10_000);
    expect(estimate.learnedMs(10_000)).to.equal(null);
    estimate.closedIdle(2000, 20_000);

    expect(estimate.learnedMs(20_000)).to.equal(2000);
  });

  it('does not believe closes after different idle times', () => {
    const estimate = new KeepAliveEstimate();
    estimate.closedIdle(2000, 10_000);
    estimate.closedIdle(1000, 20_000);
    estimate.closedIdle(3000, 30_000);

    expect(estimate.learnedMs(30_000)).to.equal(null);
  });

  it('takes closes at the same moment for a restart', () => {
    const estimate = new KeepAliveEstimate();
    for (let i = 0; i < 20; i++) estimate.closedIdle(2000, 10_000 + i);

    expect(estimate.learnedMs(10_020)).to.equal(null);
  });

  it('ignores closes of connections that were hardly idle', () => {
    const estimate = new KeepAliveEstimate();
    estimate.closedIdle(249, 10_000);
    estimate.closedIdle(249, 20_000);
    expect(estimate.learnedMs(20_000)).to.equal(null);
    estimate.closedIdle(250, 30_000);
    estimate.closedIdle(250, 40_000);

    expect(estimate.learnedMs(40_000)).to.equal(250);
  });

  it('trusts the shorter of what is announced and what is observed', () => {
    const estimate = new KeepAliveEstimate();
    estimate.announced(5000);
    estimate.closedIdle(3000, 10_000);
    estimate.closedIdle(3000, 20_000);
    expect(estimate.learnedMs(20_000)).to.equal(3000);
    estimate.announced(1000);

    expect(estimate.learnedMs(20_000)).to.equal(1000);
  });

  it('forgets what it observed after ten minutes', () => {
    const estimate = new KeepAliveEstimate();
    estimate.closedIdle(3000, 10_000);
    estimate.closedIdle(3000, 20_000);

    expect(estimate.learnedMs(620_000)).to.equal(3000);
    expect(estimate.learnedMs(620_001)).to.equal(null);
  });
});
