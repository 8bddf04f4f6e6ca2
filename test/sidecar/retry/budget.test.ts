import { expect } from 'chai';
import fc from 'fast-check';
import { RetryBudget, type RetryBudgetOptions } from '../../../sidecar/retry/budget.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function budgetOf(options: Partial<RetryBudgetOptions> = {}, clock = new FakeClock()): RetryBudget {
  return new RetryBudget(
    { perSuccess: 0.1, perSecond: 0, maxTokens: 10, initialTokens: 0, ...options },
    clock,
  );
}

function withdrawals(budget: RetryBudget): number {
  let count = 0;
  while (budget.tryWithdraw()) count++;
  return count;
}

describe('retry budget', () => {
  it('allows one retry for every ten successes', () => {
    const budget = budgetOf();
    for (let success = 0; success < 10; success++) budget.deposit();

    expect(budget.tryWithdraw()).to.equal(true);
    expect(budget.tryWithdraw()).to.equal(false);
  });

  it('starts with its initial tokens, at most the maximum', () => {
    expect(withdrawals(budgetOf({ initialTokens: 4 }))).to.equal(4);
    expect(withdrawals(budgetOf({ initialTokens: 400 }))).to.equal(10);
  });

  it('saves up to the maximum and no more', () => {
    const budget = budgetOf({ maxTokens: 3 });
    for (let success = 0; success < 1000; success++) budget.deposit();

    expect(budget.tokens).to.equal(3);
  });

  it('gives a rare caller one token every five seconds', () => {
    const clock = new FakeClock();
    const budget = budgetOf({ perSecond: 0.2 }, clock);

    clock.advance(4999);
    expect(budget.tryWithdraw()).to.equal(false);
    clock.advance(1);

    expect(budget.tryWithdraw()).to.equal(true);
  });

  it('loses no time to rounding, however often it is asked', () => {
    const clock = new FakeClock();
    const budget = budgetOf({ perSecond: 0.2, maxTokens: 100 }, clock);

    for (let step = 0; step < 50_000; step++) {
      clock.advance(1.1);
      expect(budget.tokens).to.be.within(0, 11.001);
    }

    // 55 s at 0.2 per second.
    expect(budget.tokens).to.be.within(10.998, 11.001);
  });

  it('does not save time spent at the maximum', () => {
    const clock = new FakeClock();
    const budget = budgetOf({ perSecond: 1, maxTokens: 2, initialTokens: 2 }, clock);
    clock.advance(60_000);

    expect(withdrawals(budget)).to.equal(2);
    clock.advance(500);

    expect(budget.tryWithdraw()).to.equal(false);
  });

  it('keeps what was saved when rates change, up to the new maximum', () => {
    const budget = budgetOf({ initialTokens: 8 });

    budget.reconfigure({ perSuccess: 1, perSecond: 0, maxTokens: 5, initialTokens: 0 });
    expect(withdrawals(budget)).to.equal(5);
    budget.deposit();

    expect(budget.tokens).to.equal(1);
  });

  it('is never negative, never above its maximum, and never spends more than it earned', () => {
    fc.assert(
      fc.property(
        fc.record({
          perSuccess: fc.double({ min: 0, max: 1, noNaN: true }),
          perSecond: fc.double({ min: 0, max: 50, noNaN: true }),
          maxTokens: fc.double({ min: 0, max: 20, noNaN: true }),
          initialTokens: fc.double({ min: 0, max: 20, noNaN: true }),
        }),
        fc.array(
          fc.oneof(
            fc.constant('deposit' as const),
            fc.constant('withdraw' as const),
            fc.double({ min: 0, max: 5000, noNaN: true }),
          ),
          { maxLength: 200 },
        ),
        (options, steps) => {
          const clock = new FakeClock();
          const budget = new RetryBudget(options, clock);
          let earned = Math.min(options.initialTokens, options.maxTokens);
          let spent = 0;

          for (const step of steps) {
            if (step === 'deposit') {
              budget.deposit();
              earned += options.perSuccess + 0.0005;
            } else if (step === 'withdraw') {
              if (budget.tryWithdraw()) spent++;
            } else {
              clock.advance(step);
              earned += ((options.perSecond + 0.0005) * step) / 1000;
            }
            expect(budget.tokens).to.be.within(0, options.maxTokens);
            expect(spent).to.be.at.most(earned + 1e-6);
          }
        },
      ),
    );
  });
});
