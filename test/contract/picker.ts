import { expect } from 'chai';
import fc from 'fast-check';
import type { Picker, PickerFactory } from '../../sidecar/balancer/picker.ts';
import type { Endpoint } from '../../sidecar/cluster/endpoint.ts';
import { ClusterLoad } from '../../sidecar/cluster/load.ts';
import { endpointsOf, requestWith } from '../support/endpoints.ts';
import { FakeClock } from '../support/fake-clock.ts';

const PICKS = 10_000;

/** What every balancing policy promises; run over the policy table. */
export function pickerContract(factory: PickerFactory): void {
  const pickerOf = (endpoints: readonly Endpoint[], seed = 1): Picker =>
    factory(endpoints, new ClusterLoad(), new FakeClock({ seed }));

  const weightLists = fc.array(fc.integer({ min: 1, max: 65_535 }), {
    minLength: 1,
    maxLength: 100,
  });

  it('chooses nobody from an empty set', () => {
    expect(pickerOf([]).pick(requestWith())).to.equal(null);
  });

  it('chooses only from its set, and always somebody', () => {
    fc.assert(
      fc.property(weightLists, fc.integer(), (weights, seed) => {
        const endpoints = endpointsOf(weights);
        const picker = pickerOf(endpoints, seed);

        for (let pick = 0; pick < 20; pick++) {
          const chosen = picker.pick(requestWith()) as Endpoint;
          expect(endpoints.includes(chosen)).to.equal(true);
          chosen.inflight++;
        }
      }),
      { numRuns: 50 },
    );
  });

  it('avoids tried endpoints as long as there is another one', () => {
    fc.assert(
      fc.property(weightLists, fc.integer(), fc.nat({ max: 11 }), (weights, seed, count) => {
        const endpoints = endpointsOf(weights);
        const tried = endpoints.slice(0, Math.min(count, endpoints.length - 1));
        const picker = pickerOf(endpoints, seed);

        for (let pick = 0; pick < 20; pick++) {
          expect(tried).to.not.include(picker.pick(requestWith(...tried)) as Endpoint);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('chooses a tried endpoint when all were tried', () => {
    const endpoints = endpointsOf([1, 2, 3]);

    expect(endpoints).to.include(pickerOf(endpoints).pick(requestWith(...endpoints)) as Endpoint);
  });

  it('uses members of weight 0, which are in its set only in panic', () => {
    const endpoints = endpointsOf([0, 0, 0]);
    const shares = sharesOf(pickerOf(endpoints), endpoints);

    for (const share of shares) expect(share).to.be.within(0.3, 0.37);
  });

  for (const weights of [
    [1, 1],
    [1, 2, 3, 4],
    [5, 1, 1, 1],
    Array.from({ length: 10 }, () => 7),
    Array.from({ length: 70 }, () => 1),
    Array.from({ length: 70 }, (_, index) => (index < 35 ? 1 : 3)),
  ]) {
    const name = weights.length > 10 ? `${weights.length} endpoints` : weights.join(':');
    it(`shares 10,000 choices by weight within 5 % (${name}, ${new Set(weights).size} weights)`, () => {
      const endpoints = endpointsOf(weights);
      const total = weights.reduce((sum, weight) => sum + weight, 0);

      const shares = sharesOf(pickerOf(endpoints), endpoints);

      // Groups of equal weight: with 70 endpoints a single one is chosen too rarely for 5 %.
      for (const weight of new Set(weights)) {
        const members = weights.flatMap((each, index) => (each === weight ? [index] : []));
        const share = members.reduce((sum, index) => sum + (shares[index] as number), 0);
        const due = (members.length * weight) / total;
        expect(Math.abs(share - due) / due).to.be.below(0.05);
      }
    });
  }
}

function sharesOf(picker: Picker, endpoints: readonly Endpoint[]): number[] {
  const counts = new Map<Endpoint, number>(endpoints.map((endpoint) => [endpoint, 0]));
  for (let pick = 0; pick < PICKS; pick++) {
    const chosen = picker.pick(requestWith()) as Endpoint;
    counts.set(chosen, (counts.get(chosen) as number) + 1);
  }
  return endpoints.map((endpoint) => (counts.get(endpoint) as number) / PICKS);
}
