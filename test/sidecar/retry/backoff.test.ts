import { expect } from 'chai';
import { backoffCeilingMs, backoffMs } from '../../../sidecar/retry/backoff.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const options = { baseMs: 25, maxMs: 250 };

describe('back-off', () => {
  it('doubles its ceiling up to the maximum', () => {
    const ceilings = [1, 2, 3, 4, 5].map((retry) => backoffCeilingMs(options, retry));

    expect(ceilings).to.deep.equal([25, 75, 175, 250, 250]);
  });

  it('spreads evenly between 0 and the ceiling', () => {
    const clock = new FakeClock({ seed: 7 });
    const waits = Array.from({ length: 4000 }, () => backoffMs(options, 2, null, clock));

    for (let quarter = 0; quarter < 4; quarter++) {
      const share = waits.filter((ms) => Math.floor(ms / 18.75) === quarter).length / 4000;
      expect(share).to.be.closeTo(0.25, 0.03);
    }
  });

  it('waits at least as long as the endpoint asked', () => {
    expect(backoffMs(options, 1, 3000, new FakeClock())).to.equal(3000);
  });
});
