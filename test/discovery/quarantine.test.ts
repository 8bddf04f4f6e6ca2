import { expect } from 'chai';
import fc from 'fast-check';
import { Quarantine } from '../../discovery/quarantine.ts';
import type { EndpointSpec } from '../../discovery/resolver.ts';
import { endpointSpec } from '../support/endpoint-spec.ts';

const SETTLE_MS = 15_000;
const MAX_MS = 60_000;

/** A quarantine with a time of its own that is told lists as `id` or `id:health`. */
class Scene {
  readonly quarantine = new Quarantine({ settleMs: SETTLE_MS, maxMs: MAX_MS });
  nowMs = 0;

  see(ids: readonly string[], index: number, emptyIsTrusted = true): string[] {
    const endpoints = ids.map((text) => {
      const [id = '', health = 'passing'] = text.split(':');
      return endpointSpec(id, { health: health as EndpointSpec['health'] });
    });
    const believed = this.quarantine.observe({
      endpoints,
      index: BigInt(index),
      emptyIsTrusted,
      nowMs: this.nowMs,
    });
    return [...believed]
      .map(({ id, health }) => (health === 'passing' ? id : `${id}:${health}`))
      .sort();
  }
}

function ids(count: number, prefix = 'a'): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${String(i).padStart(3, '0')}`);
}

describe('quarantine', () => {
  let scene: Scene;

  beforeEach(() => {
    scene = new Scene();
  });

  it('believes the first answer, even an empty one', () => {
    expect(scene.see([], 10, false)).to.deep.equal([]);
    expect(scene.quarantine.reason).to.equal(null);
  });

  it('believes up to three removals at once, or 30 percent where that is more', () => {
    scene.see(ids(20), 10);

    expect(scene.see(ids(14), 11)).to.have.length(14);
    scene.see(ids(5), 12, true);
    expect(scene.quarantine.reason).to.match(/one reply dropped 9 of 14/);
  });

  it('holds what a larger drop removes, and applies what it adds', () => {
    scene.see(ids(20), 10);

    const seen = scene.see([...ids(13), 'new'], 11);

    expect(seen).to.deep.equal([...ids(20), 'new']);
    expect(scene.quarantine.reason).to.equal('7 removals held: one reply dropped 7 of 20');
  });

  it('holds every removal while the index is below the last good one', () => {
    scene.see(ids(20), 2154);

    expect(scene.see(ids(19), 131)).to.deep.equal(ids(20));
    expect(scene.quarantine.reason).to.match(/index went back from 2154 to 131/);
  });

  it('believes a replayed log once its index has caught up', () => {
    scene.see(ids(1000), 2154);

    for (const [count, index] of [
      [0, 131],
      [75, 1227],
      [781, 1934],
    ] as const) {
      expect(scene.see(ids(count), index)).to.have.length(1000);
    }
    expect(scene.see(ids(999), 2154)).to.have.length(999);
    expect(scene.quarantine.reason).to.equal(null);
  });

  it('keeps what it knows of an endpoint while the index is below the last good one', () => {
    scene.see(['a:critical', 'b'], 100);

    expect(scene.see(['a', 'b:maintenance'], 50)).to.deep.equal(['a:critical', 'b']);
  });

  it('lets an endpoint go at once that is seen critical or in maintenance at a good index', () => {
    scene.see(ids(20), 10);
    scene.see(ids(10), 11);

    expect(scene.see([...ids(9), 'a009:maintenance'], 12)).to.include('a009:maintenance');
    expect(scene.quarantine.reason).to.not.equal(null);
  });

  it('takes the removal of endpoints that were out of service before as an orderly departure', () => {
    scene.see(ids(10), 10);
    scene.see(
      ids(10).map((id) => `${id}:maintenance`),
      11,
    );

    expect(scene.see([], 12)).to.deep.equal([]);
    expect(scene.quarantine.reason).to.equal(null);
  });

  it('believes a smaller set that has stood for the settling time', () => {
    scene.see(ids(6), 18);
    scene.see(ids(3), 15);

    scene.nowMs += SETTLE_MS - 1;
    expect(scene.see(ids(3), 15)).to.have.length(6);
    scene.nowMs += 1;
    expect(scene.see(ids(3), 15)).to.have.length(3);
    expect(scene.quarantine.goodIndex).to.equal(15n);
  });

  it('starts the settling time anew when the smaller set changes', () => {
    scene.see(ids(20), 100);
    scene.see(ids(3), 50);
    scene.nowMs += SETTLE_MS - 1;
    scene.see(ids(4), 60);
    scene.nowMs += SETTLE_MS - 1;

    expect(scene.see(ids(4), 60)).to.have.length(20);
  });

  it('holds no longer than the maximum while the registry keeps answering', () => {
    scene.see(ids(20), 100);
    for (let ms = 0; ms < MAX_MS; ms += 5_000) {
      scene.see(ids(ms % 10_000 === 0 ? 3 : 4), 50);
      scene.nowMs += 5_000;
    }

    expect(scene.see(ids(3), 50)).to.have.length(3);
  });

  it('does not count an outage as time that the smaller set has stood', () => {
    scene.see(ids(20), 100);
    scene.see(ids(3), 50);
    scene.quarantine.interrupted();
    scene.nowMs += MAX_MS * 10;

    expect(scene.see(ids(3), 50)).to.have.length(20);
    scene.nowMs += SETTLE_MS;
    expect(scene.see(ids(3), 50)).to.have.length(3);
  });

  it('holds an empty list of even one instance', () => {
    scene.see(['a'], 10);

    expect(scene.see([], 11)).to.deep.equal(['a']);
    scene.nowMs += SETTLE_MS;
    expect(scene.see([], 11)).to.deep.equal([]);
  });

  it('never believes an empty list that cannot be trusted, however long it stands', () => {
    scene.see(['a'], 10);
    for (let i = 0; i < 100; i++) {
      expect(scene.see([], 11, false)).to.deep.equal(['a']);
      scene.nowMs += SETTLE_MS;
    }
  });

  it('lets the first live list at the saved index or above replace a saved one', () => {
    scene.quarantine.restore(
      ids(20).map((id) => endpointSpec(id)),
      100n,
    );

    expect(scene.see(['b'], 100)).to.deep.equal(['b']);
  });

  it('holds a live list below the saved index, and an empty one', () => {
    scene.quarantine.restore([endpointSpec('a')], 100n);

    expect(scene.see([], 100)).to.deep.equal(['a']);
    expect(scene.see(['b'], 99)).to.deep.equal(['a', 'b']);
  });

  it('asks for a look when the settling time or the maximum is over', () => {
    expect(scene.quarantine.recheckInMs(0)).to.equal(null);
    scene.see(ids(20), 100);
    scene.see(ids(3), 50);

    expect(scene.quarantine.recheckInMs(5_000)).to.equal(SETTLE_MS - 5_000);
    scene.quarantine.interrupted();
    expect(scene.quarantine.recheckInMs(5_000)).to.equal(null);
  });

  it('never drops more in one reply than it may, unless that was confirmed', () => {
    const reply = fc.record({
      members: fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 40 }),
      indexStep: fc.integer({ min: -30, max: 30 }),
      waitMs: fc.integer({ min: 0, max: SETTLE_MS - 1 }),
      outage: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(reply, { maxLength: 30 }), (replies) => {
        const tested = new Scene();
        let known: string[] = [];
        let standingSinceMs = 0;
        let holdingSinceMs: number | null = null;
        let standing = '';
        let index = 1000;
        for (const { members, indexStep, waitMs, outage } of replies) {
          tested.nowMs += waitMs;
          if (outage) {
            tested.quarantine.interrupted();
            standing = '';
            holdingSinceMs = null;
          }
          index += indexStep;
          const listed = members.map((n) => `i${n}`).sort();
          if (listed.join() !== standing) standingSinceMs = tested.nowMs;
          standing = listed.join();
          const goodIndex = tested.quarantine.goodIndex;
          const next = tested.see(listed, index);
          const dropped = known.filter((id) => !next.includes(id)).length;
          const stood = tested.nowMs - standingSinceMs >= SETTLE_MS;
          const long = holdingSinceMs !== null && tested.nowMs - holdingSinceMs >= MAX_MS;
          const free = BigInt(index) < goodIndex ? 0 : Math.max(3, known.length * 0.3);
          if (!stood && !long) expect(dropped).to.be.at.most(free);
          for (const id of listed) expect(next).to.include(id);
          if (tested.quarantine.reason === null) holdingSinceMs = null;
          else holdingSinceMs ??= tested.nowMs;
          known = next;
        }
      }),
    );
  });

  it('comes to believe whatever the registry keeps saying, in bounded time', () => {
    const list = fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 40 });
    fc.assert(
      fc.property(fc.array(list, { maxLength: 10 }), list, fc.nat(50), (past, last, index) => {
        const tested = new Scene();
        past.forEach((members, i) => {
          tested.see(
            members.map((n) => `i${n}`),
            100 - i,
          );
          tested.nowMs += 1_000;
        });
        const listed = last.map((n) => `i${n}`).sort();

        let seen = tested.see(listed, index);
        const startMs = tested.nowMs;
        for (let waitMs = tested.quarantine.recheckInMs(tested.nowMs); waitMs !== null; ) {
          tested.nowMs += waitMs;
          seen = tested.see(listed, index);
          waitMs = tested.quarantine.recheckInMs(tested.nowMs);
        }

        expect(seen).to.deep.equal(listed);
        expect(tested.nowMs - startMs).to.be.at.most(SETTLE_MS);
      }),
    );
  });
});
