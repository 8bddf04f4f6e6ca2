import { expect } from 'chai';
import { UuidV7 } from '../../../sidecar/proxy/request-ids.ts';

/** RFC 9562 §5.7: 48 bits of time, version 7, variant 10. */
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('request ids', () => {
  it('are UUIDs of version 7, all different, over several refills of the random pool', () => {
    const ids = new UuidV7();
    const seen = new Set<string>();
    for (let i = 0; i < 2000; i++) {
      const id = ids.next(1_700_000_000_000 + i / 100);
      expect(id).to.match(UUID_V7);
      seen.add(id);
    }

    expect(seen.size).to.equal(2000);
  });

  it('begin with the whole milliseconds of their time', () => {
    const ids = new UuidV7();

    for (const ms of [0, 1, 1_700_000_000_000, 1_700_000_000_001]) {
      const hex = ids
        .next(ms + 0.75)
        .replaceAll('-', '')
        .slice(0, 12);
      expect(Number.parseInt(hex, 16)).to.equal(ms);
    }
  });

  it('use every variant digit and every hex digit at the random places', () => {
    const ids = new UuidV7();
    const variants = new Set<string>();
    const digits = new Set<string>();
    for (let i = 0; i < 500; i++) {
      const tail = ids.next(0).slice(15);
      variants.add(tail.charAt(4));
      for (const digit of tail.slice(9)) digits.add(digit);
    }

    expect([...variants].sort().join('')).to.equal('89ab');
    expect([...digits].sort().join('')).to.equal('0123456789abcdef');
  });
});
