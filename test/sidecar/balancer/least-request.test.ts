import { expect } from 'chai';
import fc from 'fast-check';
import { leastRequest } from '../../../sidecar/balancer/least-request.ts';
import type { Picker } from '../../../sidecar/balancer/picker.ts';
import type { Endpoint } from '../../../sidecar/cluster/endpoint.ts';
import { ClusterLoad } from '../../../sidecar/cluster/load.ts';
import { endpointsOf, requestWith } from '../../support/endpoints.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function pickerOf(
  endpoints: readonly Endpoint[],
  { choiceCount = 2, activeRequestBias = 1, seed = 1 } = {},
): Picker {
  const factory = leastRequest({ choiceCount, activeRequestBias });
  return factory(endpoints, new ClusterLoad(), new FakeClock({ seed }));
}

function countPicks(picker: Picker, endpoint: Endpoint, picks: number): number {
  let count = 0;
  for (let pick = 0; pick < picks; pick++) if (picker.pick(requestWith()) === endpoint) count++;
  return count;
}

describe('least request', () => {
  it('never compares an endpoint with itself', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const endpoints = endpointsOf([1, 1]);
        (endpoints[0] as Endpoint).inflight = 1;

        const busy = countPicks(pickerOf(endpoints, { seed }), endpoints[0] as Endpoint, 200);

        expect(busy).to.equal(0);
      }),
      { numRuns: 30 },
    );
  });

  it('chooses the busiest endpoint never, and the idlest as often as it is drawn', () => {
    const endpoints = endpointsOf([1, 1, 1, 1]);
    endpoints.forEach((endpoint, index) => (endpoint.inflight = index));
    const picker = pickerOf(endpoints);

    // 1 − C(3,2)/C(4,2) = 1/2 of all pairs contain the idlest.
    expect(countPicks(picker, endpoints[0] as Endpoint, 10_000) / 10_000).to.be.closeTo(0.5, 0.02);
    expect(countPicks(picker, endpoints[3] as Endpoint, 10_000)).to.equal(0);
  });

  it('compares as many endpoints as configured', () => {
    const endpoints = endpointsOf([1, 1, 1, 1]);
    for (const endpoint of endpoints.slice(1)) endpoint.inflight = 1;
    const picker = pickerOf(endpoints, { choiceCount: 4 });

    expect(countPicks(picker, endpoints[0] as Endpoint, 500)).to.equal(500);
  });

  it('gives a busy endpoint less than its weight, by the bias', () => {
    for (const [bias, share] of [
      [0, 3 / 4],
      [1, 3 / 5],
      [2, 3 / 7],
    ] as const) {
      const endpoints = endpointsOf([3, 1]);
      // 3 / 2^bias against 1.
      (endpoints[0] as Endpoint).inflight = 1;
      const expected = 3 / 2 ** bias / (3 / 2 ** bias + 1);
      expect(expected).to.be.closeTo(share, 1e-9);

      const picker = pickerOf(endpoints, { activeRequestBias: bias });

      expect(countPicks(picker, endpoints[0] as Endpoint, 10_000) / 10_000).to.be.closeTo(
        share,
        0.01,
      );
    }
  });
});
