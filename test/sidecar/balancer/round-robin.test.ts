import { expect } from 'chai';
import fc from 'fast-check';
import { EdfPicker } from '../../../sidecar/balancer/edf.ts';
import type { Picker } from '../../../sidecar/balancer/picker.ts';
import { roundRobin } from '../../../sidecar/balancer/round-robin.ts';
import { weightOf } from '../../../sidecar/balancer/weights.ts';
import type { Endpoint } from '../../../sidecar/cluster/endpoint.ts';
import { ClusterLoad } from '../../../sidecar/cluster/load.ts';
import { endpointsOf, requestWith } from '../../support/endpoints.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function pickerOf(endpoints: readonly Endpoint[], seed = 1): Picker {
  return roundRobin(endpoints, new ClusterLoad(), new FakeClock({ seed }));
}

function take(picker: Picker, count: number): Endpoint[] {
  return Array.from({ length: count }, () => picker.pick(requestWith()) as Endpoint);
}

describe('round robin', () => {
  for (const count of [5, 64, 65, 200]) {
    it(`visits each of ${count} equal endpoints once per round`, () => {
      const endpoints = endpointsOf(Array.from({ length: count }, () => 1));
      const picker = pickerOf(endpoints);

      for (let round = 0; round < 3; round++) {
        expect(new Set(take(picker, count)).size).to.equal(count);
      }
    });

    it(`serves ${count} endpoints of weights 1 and 2 as often as these say in every round`, () => {
      const endpoints = endpointsOf(Array.from({ length: count }, (_, index) => 1 + (index % 2)));
      const picker = pickerOf(endpoints);
      const total = endpoints.reduce((sum, { spec }) => sum + spec.weight, 0);

      for (let round = 0; round < 3; round++) {
        const served = take(picker, total);
        for (const endpoint of endpoints) {
          const times = served.filter((each) => each === endpoint).length;
          expect(times).to.equal(endpoint.spec.weight);
        }
      }
    });
  }

  it('interleaves weights smoothly', () => {
    const endpoints = endpointsOf([5, 1, 1]);

    const order = take(pickerOf(endpoints), 14).map((endpoint) => endpoints.indexOf(endpoint));

    // NGINX's example a a b a c a a, from a random start: so never two others in a row.
    expect(order.join('').repeat(2)).to.not.match(/[12]{2}/);
    expect(order.filter((index) => index === 0)).to.have.length(10);
  });

  it('starts at different endpoints for different callers', () => {
    const endpoints = endpointsOf([1, 1, 1, 1, 1, 1, 1, 1]);
    const firsts = Array.from({ length: 40 }, (_, seed) => take(pickerOf(endpoints, seed), 1)[0]);

    expect(new Set(firsts).size).to.be.above(4);
  });
});

describe('earliest deadline first', () => {
  it('is never more than one turn per endpoint away from the due share', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 30 }),
        fc.integer(),
        fc.integer({ min: 1, max: 500 }),
        (weights, seed, picks) => {
          const endpoints = endpointsOf(weights);
          const picker = new EdfPicker(endpoints, new FakeClock({ seed }), weightOf);
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          const counts = new Map<Endpoint, number>();

          for (const chosen of take(picker, picks)) {
            counts.set(chosen, (counts.get(chosen) ?? 0) + 1);
          }

          // All deadlines lie within one own period of virtual time v, so counts are w·v ± 1, and v
          // itself is known to ± n / Σw.
          for (const [index, endpoint] of endpoints.entries()) {
            const weight = weights[index] as number;
            const due = (picks * weight) / total;
            const slack = 1 + (weight * endpoints.length) / total;
            expect(Math.abs((counts.get(endpoint) ?? 0) - due)).to.be.at.most(slack + 1e-6);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
