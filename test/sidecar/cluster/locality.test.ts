import { expect } from 'chai';
import fc from 'fast-check';
import { proportionalSplit, type ZoneSplit } from '../../../sidecar/cluster/locality.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const DRAWS = 100_000;

function counts(...each: readonly number[]): Map<string, number> {
  return new Map(
    each.flatMap((count, index) => (count > 0 ? [[`z${index}`, count] as [string, number]] : [])),
  );
}

/** Share of the draws that each zone gets. */
function drawn(split: ZoneSplit, own: string, seed: number): Map<string, number> {
  const clock = new FakeClock({ seed });
  const shares = new Map<string, number>();
  for (let draw = 0; draw < DRAWS; draw++) {
    const at = split.draw(clock);
    const zone = at < 0 ? own : (split.remote[at] as string);
    shares.set(zone, (shares.get(zone) ?? 0) + 1 / DRAWS);
  }
  return shares;
}

/** The rule of `balancing.md` §3.2 as a distribution, in real numbers. */
function due(own: number, callers: readonly number[], endpoints: readonly number[]): number[] {
  const total = (list: readonly number[]): number => list.reduce((sum, each) => sum + each, 0);
  const wanted = callers.map((each) => each / total(callers));
  const offered = endpoints.map((each) => each / total(endpoints));
  const stay = Math.min(1, (offered[own] as number) / (wanted[own] as number));
  const spare = offered.map((share, zone) =>
    zone === own ? 0 : Math.max(0, share - (wanted[zone] as number)),
  );
  return spare.map((each, zone) =>
    zone === own ? stay : stay === 1 ? 0 : ((1 - stay) * each) / total(spare),
  );
}

describe('proportional zones', () => {
  it('keeps 62.5 % and spills 2:1 in the documented example', () => {
    const split = proportionalSplit('z0', counts(4, 4, 2), counts(5, 10, 5), 6) as ZoneSplit;

    expect(split.local).to.equal(6250);
    const shares = drawn(split, 'z0', 1);
    expect(shares.get('z0')).to.be.closeTo(0.625, 0.01);
    expect(shares.get('z1')).to.be.closeTo(0.25, 0.01);
    expect(shares.get('z2')).to.be.closeTo(0.125, 0.01);
  });

  it('splits within a point of the arithmetic, whatever the zones hold', () => {
    const zones = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 })),
      {
        minLength: 2,
        maxLength: 5,
      },
    );
    fc.assert(
      fc.property(zones, fc.integer(), (pairs, seed) => {
        const callers = pairs.map(([count]) => count);
        const endpoints = pairs.map(([, count]) => count);
        const split = proportionalSplit('z0', counts(...callers), counts(...endpoints), 0);
        const shares = drawn(split as ZoneSplit, 'z0', seed);

        due(0, callers, endpoints).forEach((share, zone) => {
          expect(shares.get(`z${zone}`) ?? 0).to.be.closeTo(share, 0.01);
        });
      }),
      { numRuns: 12 },
    );
  }).timeout(20_000);

  it('stays local when the own zone has its share of the endpoints', () => {
    const split = proportionalSplit('z0', counts(3, 3), counts(4, 3), 0) as ZoneSplit;

    expect(split.local).to.equal(10_000);
    expect(drawn(split, 'z0', 3).get('z0')).to.be.closeTo(1, 1e-6);
  });

  it('sends everything to zones with room when the own zone has no endpoint', () => {
    const split = proportionalSplit('z0', counts(2, 2, 2), counts(0, 3, 3), 0) as ZoneSplit;
    const shares = drawn(split, 'z0', 4);

    expect(shares.get('z0')).to.equal(undefined);
    expect(shares.get('z1')).to.be.closeTo(0.5, 0.01);
  });

  it('draws any zone when no other has room', () => {
    // Shares of 3333 on both sides leave no residual, and the own zone has nothing at all.
    const split = proportionalSplit('z0', counts(1, 9999, 9999), counts(0, 1, 1), 0) as ZoneSplit;

    expect([...split.remote].sort()).to.deep.equal(['z1', 'z2']);
    expect(drawn(split, 'z0', 5).get('z2')).to.be.closeTo(0.5, 0.01);
  });

  it('rounds like Envoy, in hundredths of a per cent', () => {
    const split = proportionalSplit('z0', counts(2, 1), counts(1, 2), 0) as ZoneSplit;

    // L 6666, U 3333: floor(10000 · 3333 / 6666).
    expect(split.local).to.equal(5000);
    expect((proportionalSplit('z0', counts(1, 1), counts(1, 2), 0) as ZoneSplit).local).to.equal(
      6666,
    );
  });

  it('does not apply where it cannot be known what is fair', () => {
    expect(proportionalSplit('z0', counts(3), counts(3, 3), 0), 'callers in one zone').to.equal(
      null,
    );
    expect(proportionalSplit('z0', counts(3, 3), counts(6), 0), 'endpoints in one zone').to.equal(
      null,
    );
    expect(proportionalSplit('z9', counts(3, 3), counts(3, 3), 0), 'no caller here').to.equal(null);
    expect(proportionalSplit('z0', counts(3, 3), counts(2, 3), 6), 'too few').to.equal(null);
    expect(proportionalSplit('z0', counts(3, 3), counts(3, 3), 6), 'enough').to.not.equal(null);
  });
});
