import { expect } from 'chai';
import fc from 'fast-check';
import { maxEjections } from '../../../sidecar/cluster/ejection-cap.ts';

describe('ejection cap', () => {
  it('takes nobody from one or two members, and at least one from three on', () => {
    const caps = Array.from({ length: 11 }, (_, members) => maxEjections(members, 0.3));

    expect(caps).to.deep.equal([0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3]);
  });

  it('is never above the share, but for the one of a small cluster, and never all', () => {
    fc.assert(
      fc.property(fc.nat({ max: 5000 }), fc.integer({ min: 0, max: 99 }), (members, percent) => {
        const cap = maxEjections(members, percent / 100);

        expect(cap).to.be.at.most(Math.max(1, Math.floor((members * percent) / 100)));
        expect(cap).to.be.below(Math.max(1, members));
      }),
    );
  });

  it('does not lose an endpoint to rounding', () => {
    expect(maxEjections(100, 0.29)).to.equal(29);
  });

  it('grows with the cluster', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 5000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (members, share) => {
          expect(maxEjections(members + 1, share)).to.be.at.least(maxEjections(members, share));
        },
      ),
    );
  });
});
