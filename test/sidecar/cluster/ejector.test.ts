import { expect } from 'chai';
import fc from 'fast-check';
import { Ejector, type EjectorOptions } from '../../../sidecar/cluster/ejector.ts';
import type { Endpoint } from '../../../sidecar/cluster/endpoint.ts';
import type { Verdict } from '../../../sidecar/cluster/outcome.ts';
import { endpointsOf, outlierOptions, requestWith } from '../../support/endpoints.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** An ejector over `count` members that have all answered well before. */
class Bench {
  readonly clock = new FakeClock();
  readonly members: Endpoint[];
  readonly events: string[] = [];
  readonly ejector: Ejector;

  constructor(count: number, options: Partial<EjectorOptions> | null = {}) {
    this.members = endpointsOf(Array.from({ length: count }, () => 1));
    this.ejector = new Ejector(
      options === null ? null : { ...outlierOptions, ...options },
      this.clock,
      {
        members: this.members,
        ejected: (endpoint) => this.events.push(`ejected ${endpoint.spec.id}`),
        returned: (endpoint) => this.events.push(`returned ${endpoint.spec.id}`),
      },
    );
    for (const endpoint of this.members) {
      endpoint.attempts = 10;
      this.ejector.record(endpoint, 'ok');
    }
  }

  at(index: number): Endpoint {
    return this.members[index] as Endpoint;
  }

  record(index: number, ...verdicts: readonly Verdict[]): void {
    for (const verdict of verdicts) this.ejector.record(this.at(index), verdict);
  }

  isOut(index: number): boolean {
    return this.at(index).ejectedUntil > 0;
  }

  outNow(): number {
    return this.members.filter((endpoint) => endpoint.ejectedUntil > 0).length;
  }

  /** Waits for the end of the ejection and takes the trial request. */
  trial(): Endpoint {
    this.clock.advance(61_000);
    return this.ejector.takeTrial(requestWith(), null) as Endpoint;
  }
}

function times<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value);
}

describe('ejector', () => {
  it('ejects after five 5xx in a row, of whatever kind', () => {
    const bench = new Bench(3);

    bench.record(0, 'server_error', 'gateway_error', 'server_error', 'gateway_error');
    expect(bench.isOut(0)).to.equal(false);
    bench.record(0, 'server_error');

    expect(bench.events).to.deep.equal(['ejected e0']);
    expect(bench.ejector.ledger.entries.at(-1)?.detector).to.equal('consecutive_5xx');
  });

  it('starts counting anew after a success', () => {
    const bench = new Bench(3);

    bench.record(
      0,
      ...times(4, 'server_error' as const),
      'ok',
      ...times(4, 'server_error' as const),
    );

    expect(bench.isOut(0)).to.equal(false);
  });

  it('ejects after consecutive gateway failures, which another 5xx interrupts', () => {
    const bench = new Bench(3, { consecutiveGateway: 2, consecutive5xx: 0 });

    bench.record(0, 'gateway_error', 'server_error', 'gateway_error');
    expect(bench.isOut(0)).to.equal(false);
    bench.record(0, 'gateway_error');

    expect(bench.ejector.ledger.entries.at(-1)?.detector).to.equal('consecutive_gateway');
  });

  it('ejects after one refused connection', () => {
    const bench = new Bench(3);

    bench.record(0, 'refused');

    expect(bench.isOut(0)).to.equal(true);
  });

  it('ejects after three other failures seen from here, which an answer interrupts', () => {
    const bench = new Bench(3);

    bench.record(0, 'local', 'local', 'server_error', 'local');
    expect(bench.isOut(0)).to.equal(false);
    bench.record(1, 'local', 'local', 'local');

    expect(bench.isOut(1)).to.equal(true);
    expect(bench.ejector.ledger.entries.at(-1)?.detector).to.equal('consecutive_local_origin');
  });

  it('learns nothing from outcomes that say nothing', () => {
    const bench = new Bench(3);

    bench.record(0, 'local', 'none', 'local', 'none', 'none', 'none');
    expect(bench.isOut(0)).to.equal(false);
    bench.record(0, 'local');

    expect(bench.isOut(0)).to.equal(true);
  });

  it('holds its cap whatever fails and in whatever order', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(
          fc.tuple(
            fc.nat({ max: 19 }),
            fc.constantFrom<Verdict>('server_error', 'gateway_error', 'local', 'ok'),
          ),
          {
            maxLength: 400,
          },
        ),
        (count, history) => {
          const bench = new Bench(count);
          const cap = count < 3 ? 0 : Math.max(1, Math.floor(count * 0.3 + 1e-9));

          for (const [index, verdict] of history) {
            bench.record(index % count, verdict);
            expect(bench.outNow()).to.be.at.most(cap);
            expect(bench.ejector.ejected).to.equal(bench.outNow());
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it('ejects refused endpoints above the cap', () => {
    const bench = new Bench(4);

    for (const index of [0, 1, 2, 3]) bench.record(index, 'refused');

    expect(bench.outNow()).to.equal(4);
  });

  it('leaves the only member alone', () => {
    const bench = new Bench(1);

    bench.record(0, 'refused', ...times(10, 'local' as const));

    expect(bench.isOut(0)).to.equal(false);
  });

  it('notes what the cap prevented, once per ejection time', () => {
    const bench = new Bench(3);
    bench.record(0, ...times(5, 'server_error' as const));

    bench.record(1, ...times(50, 'server_error' as const));

    expect(bench.isOut(1)).to.equal(false);
    expect(bench.ejector.ledger.counts.get('consecutive_5xx')).to.deep.equal({
      ejected: 1,
      capped: 1,
      would_eject: 0,
    });
  });

  it('ejects nobody when most of the peers fail as well', () => {
    const bench = new Bench(10);

    for (let round = 0; round < 20; round++) {
      for (let index = 0; index < 10; index++) bench.record(index, 'server_error');
    }

    // The first to reach five is caught before it shows that all the others follow.
    expect(bench.outNow()).to.be.at.most(1);
    expect(bench.ejector.ledger.counts.get('consecutive_5xx')?.capped).to.be.above(0);
  });

  it('only watches when the share is 0', () => {
    const bench = new Bench(5, { maxEjectedShare: 0 });

    bench.record(0, 'refused');
    bench.record(1, ...times(5, 'server_error' as const));

    expect(bench.outNow()).to.equal(0);
    expect(bench.ejector.ledger.entries.map(({ outcome }) => outcome)).to.deep.equal([
      'would_eject',
      'would_eject',
    ]);
  });

  it('does nothing without options', () => {
    const bench = new Bench(5, null);

    bench.record(0, 'refused', ...times(20, 'server_error' as const));

    expect(bench.events).to.deep.equal([]);
  });

  it('says who was ejected, why, on which counts and until when', () => {
    const bench = new Bench(3);
    const told: unknown[] = [];
    bench.ejector.onDecision = (entry) => told.push(entry);
    bench.at(0).failures = 3;

    bench.record(0, 'refused');

    const until = bench.clock.wallTime() + (bench.at(0).ejectedUntil - bench.clock.now());
    expect(told).to.deep.equal([
      {
        at: bench.clock.wallTime(),
        endpoint: '10.0.0.0:8080',
        detector: 'refused',
        outcome: 'ejected',
        consecutive: 1,
        attempts: 10,
        failures: 3,
        until,
      },
    ]);
    expect(bench.ejector.ledger.entries).to.deep.equal(told);
  });
});

describe('ejection', () => {
  it('lasts 5 s ± 50 % at first and doubles up to 60 s', () => {
    const bench = new Bench(3);
    const lengths: number[] = [];

    for (let ejection = 0; ejection < 8; ejection++) {
      if (ejection === 0) bench.record(0, 'refused');
      else {
        expect(bench.trial()).to.equal(bench.at(0));
        bench.record(0, 'refused');
      }
      lengths.push(bench.at(0).ejectedUntil - bench.clock.now());
    }

    lengths.forEach((ms, ejection) => {
      expect(ms).to.be.within(
        Math.min(60_000, 2500 * 2 ** ejection),
        Math.min(60_000, 7500 * 2 ** ejection),
      );
    });
    expect(lengths.slice(5)).to.deep.equal([60_000, 60_000, 60_000]);
  });

  it('gets shorter again by one step for every quiet minute', () => {
    const bench = new Bench(3);
    bench.record(0, 'refused');
    for (let ejection = 0; ejection < 3; ejection++) {
      bench.trial();
      bench.record(0, 'refused');
    }
    bench.trial();
    bench.record(0, 'ok');

    bench.clock.advance(180_500);
    bench.record(0, 'refused');

    // Four ejections less three quiet minutes: the second step.
    expect(bench.at(0).ejectedUntil - bench.clock.now()).to.be.within(5000, 15_000);
  });

  it('ends in one trial request at a time', () => {
    const bench = new Bench(3);
    bench.record(0, 'refused');
    expect(bench.ejector.takeTrial(requestWith(), null)).to.equal(null);

    bench.clock.advance(8500);

    expect(bench.ejector.trialsOpen).to.equal(true);
    expect(bench.ejector.takeTrial(requestWith(), null)).to.equal(bench.at(0));
    expect(bench.ejector.takeTrial(requestWith(), null)).to.equal(null);
    expect(bench.isOut(0)).to.equal(true);
  });

  it('is over when the trial goes well', () => {
    const bench = new Bench(3);
    bench.record(0, 'refused');
    bench.trial();

    bench.record(0, 'ok');

    expect(bench.events).to.deep.equal(['ejected e0', 'returned e0']);
    expect(bench.isOut(0)).to.equal(false);
    expect(bench.ejector.trialsOpen).to.equal(false);
    expect(bench.clock.pending).to.equal(0);
  });

  it('goes on when the trial fails', () => {
    const bench = new Bench(3);
    bench.record(0, ...times(5, 'server_error' as const));
    bench.trial();

    bench.record(0, 'server_error');

    expect(bench.at(0).ejectedUntil).to.be.above(bench.clock.now());
    expect(bench.at(0).ejections).to.equal(2);
    expect(bench.ejector.ledger.entries.at(-1)?.detector).to.equal('trial');
  });

  it('of an unreachable endpoint ends with any answer of its own', () => {
    const bench = new Bench(3);
    bench.record(0, 'refused');
    bench.trial();

    bench.record(0, 'server_error');

    expect(bench.isOut(0)).to.equal(false);
  });

  it('asks for another trial when the first said nothing', () => {
    const bench = new Bench(3);
    bench.record(0, 'refused');
    bench.trial();

    bench.record(0, 'none');

    expect(bench.ejector.takeTrial(requestWith(), null)).to.equal(bench.at(0));
  });

  it('asks for another trial when the first takes longer than ten seconds', () => {
    const bench = new Bench(3);
    bench.record(0, 'refused');
    bench.trial();

    bench.clock.advance(9999);
    expect(bench.ejector.takeTrial(requestWith(), null)).to.equal(null);
    bench.clock.advance(2);

    expect(bench.ejector.takeTrial(requestWith(), null)).to.equal(bench.at(0));
  });

  it('ignores what was under way when it began', () => {
    const bench = new Bench(3);
    bench.record(0, 'refused');
    const until = bench.at(0).ejectedUntil;

    bench.record(0, 'ok', 'refused', 'server_error');

    expect(bench.at(0).ejectedUntil).to.equal(until);
    expect(bench.events).to.deep.equal(['ejected e0']);
  });

  it('spares requests that tried the endpoint, and other zones where zones are strict', () => {
    const bench = new Bench(3);
    bench.record(0, 'refused');
    bench.clock.advance(61_000);

    expect(bench.ejector.takeTrial(requestWith(bench.at(0)), null)).to.equal(null);
    expect(bench.ejector.takeTrial(requestWith(), 'b')).to.equal(null);
    expect(bench.ejector.takeTrial(requestWith(), 'a')).to.equal(bench.at(0));
  });

  it('ends with a trial at once when the endpoint is pardoned', () => {
    const bench = new Bench(3);
    bench.record(0, 'refused');

    bench.ejector.pardon(bench.at(0));

    expect(bench.ejector.takeTrial(requestWith(), null)).to.equal(bench.at(0));
  });

  it('ends for all when ejection is turned off', () => {
    const bench = new Bench(5);
    bench.record(0, 'refused');
    bench.record(1, 'refused');

    bench.ejector.reconfigure(null);

    expect(bench.outNow()).to.equal(0);
    expect(bench.events.slice(2)).to.deep.equal(['returned e0', 'returned e1']);
  });

  it('leaves no timer behind when the ejector closes', () => {
    const bench = new Bench(3);
    bench.record(0, 'refused');

    bench.ejector.close();
    bench.record(1, 'refused');

    expect(bench.clock.pending).to.equal(0);
  });
});
