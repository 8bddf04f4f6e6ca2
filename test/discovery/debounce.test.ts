import { expect } from 'chai';
import { Debounce } from '../../discovery/debounce.ts';
import { FakeClock } from '../support/fake-clock.ts';

describe('debounce', () => {
  const clock = new FakeClock();
  let out: number[];
  let debounce: Debounce<number>;

  beforeEach(() => {
    out = [];
    debounce = new Debounce(clock, 75, (value) => out.push(value));
  });

  it('lets the first value through at once', () => {
    debounce.offer(1);

    expect(out).to.deep.equal([1]);
  });

  it('joins what follows within the interval into the newest', () => {
    for (const value of [1, 2, 3, 4]) debounce.offer(value);
    clock.advance(74);
    expect(out).to.deep.equal([1]);
    clock.advance(1);

    expect(out).to.deep.equal([1, 4]);
  });

  it('sends at most one value per interval under a steady stream, and the last one in the end', () => {
    for (let i = 0; i <= 100; i++) {
      debounce.offer(i);
      clock.advance(10);
    }
    clock.advance(75);

    expect(out.length).to.be.at.most(15);
    expect(out.at(-1)).to.equal(100);
  });

  it('says nothing after a stop', () => {
    debounce.offer(1);
    debounce.offer(2);
    debounce.stop();
    clock.advance(1000);

    expect(out).to.deep.equal([1]);
    expect(clock.pending).to.equal(0);
  });
});
