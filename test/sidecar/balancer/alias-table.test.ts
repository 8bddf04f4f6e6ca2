import { expect } from 'chai';
import fc from 'fast-check';
import { AliasTable } from '../../../sidecar/balancer/alias-table.ts';

describe('alias table', () => {
  it('gives every index a part of the unit interval in proportion to its weight', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 20 }),
        (weights) => {
          const table = new AliasTable(weights);
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          const steps = 20_000;
          const counts = weights.map(() => 0);

          // Every chance on a grid: the measure itself, no luck involved.
          for (let step = 0; step < steps; step++) {
            const index = table.draw((step + 0.5) / steps);
            counts[index] = (counts[index] as number) + 1;
          }

          weights.forEach((weight, index) => {
            const share = (counts[index] as number) / steps;
            expect(share).to.be.closeTo(weight / total, (2 * weights.length) / steps);
          });
        },
      ),
      { numRuns: 40 },
    );
  });
});
