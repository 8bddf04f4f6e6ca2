import { expect } from 'chai';
import fc from 'fast-check';
import { Motion, SilenceLimit } from '../../../sidecar/route/silence.ts';
import { FakeClock } from '../../support/fake-clock.ts';

describe('silence limit', () => {
  it('is noticed after the limit and before one and a half times as much, wherever it begins', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 900 }), { maxLength: 12 }), (gaps) => {
        const clock = new FakeClock();
        const limit = new SilenceLimit(1000, clock);
        let silentAt = 0;
        const motion = new Motion({ silentForTooLong: () => (silentAt = clock.now()) });
        // Somebody else keeps the timer running, so that looks come at any offset.
        limit.watch(new Motion({ silentForTooLong: () => undefined }));
        clock.advance(gaps[0] ?? 0);
        limit.watch(motion);
        for (const gap of gaps) {
          clock.advance(gap);
          motion.moves++;
        }
        expect(silentAt).to.equal(0);
        const since = clock.now();
        clock.advance(2000);

        expect(silentAt - since).to.be.within(1000 - 1e-6, 1500);
      }),
    );
  });

  it('forgets what has ended, and rests when nobody is left', () => {
    const clock = new FakeClock();
    const limit = new SilenceLimit(1000, clock);
    const motion = new Motion({ silentForTooLong: () => expect.fail('it has ended') });
    limit.watch(motion);
    motion.end();
    clock.advance(5000);

    expect(clock.pending).to.equal(0);
  });

  it('at 0 never looks', () => {
    const clock = new FakeClock();
    new SilenceLimit(0, clock).watch(new Motion(null));

    expect(clock.pending).to.equal(0);
  });
});
