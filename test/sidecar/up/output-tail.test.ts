import { expect } from 'chai';
import { OutputTail } from '../../../sidecar/up/output-tail.ts';

describe('output tail', () => {
  it('keeps the newest lines only', () => {
    const tail = new OutputTail(2);
    tail.append('one\ntwo\nthree\n');

    expect(tail.lines()).to.deep.equal(['two', 'three']);
  });

  it('joins a line that arrives in pieces and shows an unfinished one', () => {
    const tail = new OutputTail();
    tail.append('he');
    tail.append('llo\nwor');

    expect(tail.lines()).to.deep.equal(['hello', 'wor']);
  });

  it('stays bounded when a line never ends', () => {
    const tail = new OutputTail();
    for (let i = 0; i < 100; i++) tail.append('x'.repeat(1000));

    expect(tail.lines().join('').length).to.be.at.most(2000);
  });
});
