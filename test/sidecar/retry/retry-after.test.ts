import { expect } from 'chai';
import { retryAfterMs } from '../../../sidecar/retry/retry-after.ts';

const now = Date.UTC(2015, 9, 21, 7, 28, 0);

describe('Retry-After', () => {
  it('is a number of seconds', () => {
    expect(retryAfterMs('0', now)).to.equal(0);
    expect(retryAfterMs('120', now)).to.equal(120_000);
  });

  it('is a date', () => {
    expect(retryAfterMs('Wed, 21 Oct 2015 07:28:30 GMT', now)).to.equal(30_000);
    expect(retryAfterMs('Wed, 21 Oct 2015 07:27:00 GMT', now), 'in the past').to.equal(0);
  });

  it('never asks for more than a day', () => {
    expect(retryAfterMs('9'.repeat(400), now)).to.equal(86_400_000);
    expect(retryAfterMs('Sat, 21 Oct 2045 07:28:30 GMT', now)).to.equal(86_400_000);
  });

  it('is ignored when it is anything else', () => {
    for (const value of [
      '',
      ' 5',
      '5 ',
      '-1',
      '1.5',
      '1e3',
      '0x10',
      'soon',
      '2015-10-21',
      '2015-10-21T07:28:30.0000 GMT',
    ]) {
      expect(retryAfterMs(value, now), value).to.equal(null);
    }
    expect(retryAfterMs(null, now)).to.equal(null);
  });
});
