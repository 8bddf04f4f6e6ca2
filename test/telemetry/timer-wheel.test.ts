import { expect } from 'chai';
import fc from 'fast-check';
import { TimerWheel } from '../../telemetry/timer-wheel.ts';

describe('timer wheel', () => {
  it('fires never early and at most one tick late, in order of ticks', () => {
    const wheel = new TimerWheel(10, 0);
    const fired: number[] = [];
    wheel.insert(35, () => fired.push(35));
    wheel.insert(12, () => fired.push(12));

    wheel.advance(19);
    expect(fired).to.deep.equal([]);
    wheel.advance(20);
    expect(fired).to.deep.equal([12]);
    wheel.advance(40);
    expect(fired).to.deep.equal([12, 35]);
  });

  it('keeps what lies beyond one turn of the ring', () => {
    const wheel = new TimerWheel(10, 0);
    let fired = false;
    wheel.insert(25_000, () => {
      fired = true;
    });

    for (let now = 0; now < 25_000; now += 500) wheel.advance(now);
    expect(fired).to.equal(false);
    wheel.advance(25_000);
    expect(fired).to.equal(true);
  });

  it('survives a stall longer than the ring', () => {
    const wheel = new TimerWheel(10, 0);
    let count = 0;
    for (let due = 0; due < 30_000; due += 100) wheel.insert(due, () => count++);

    wheel.advance(60_000);

    expect(count).to.equal(300);
    expect(wheel.size).to.equal(0);
  });

  it('lets a callback cancel its neighbours and schedule anew', () => {
    const wheel = new TimerWheel(10, 0);
    const fired: string[] = [];
    const third = { cancel: () => {} };
    wheel.insert(5, () => {
      fired.push('first');
      second.cancel();
      third.cancel();
      wheel.insert(5, () => fired.push('later'));
    });
    const second = wheel.insert(5, () => fired.push('second'));
    const real = wheel.insert(5, () => fired.push('third'));
    third.cancel = () => real.cancel();

    wheel.advance(10);
    expect(fired).to.deep.equal(['first']);
    wheel.advance(20);
    expect(fired).to.deep.equal(['first', 'later']);
  });

  it('tells when it has to be turned next', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 40 }), (dues) => {
        const wheel = new TimerWheel(10, 0);
        const late: number[] = [];
        let now = 0;
        let fired = 0;
        for (const due of dues) {
          wheel.insert(due, () => {
            fired++;
            if (now < due || now - due > 20) late.push(due);
          });
        }
        for (let turns = 0; wheel.size > 0 && turns < 1000; turns++) {
          now = Math.max(now + 10, wheel.nextDueMs());
          wheel.advance(now);
        }
        expect(late).to.deep.equal([]);
        expect(fired).to.equal(dues.length);
      }),
    );
  });
});
