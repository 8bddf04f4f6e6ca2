import { expect } from 'chai';
import type { EndpointSpec } from '../../../discovery/resolver.ts';
import { Cluster } from '../../../sidecar/cluster/cluster.ts';
import type { Endpoint } from '../../../sidecar/cluster/endpoint.ts';
import type { ClusterOptions } from '../../../sidecar/cluster/options.ts';
import { Failure, type FailureCode } from '../../../sidecar/failure.ts';
import {
  clusterOptions,
  IdleUpstream,
  requestWith,
  specOf,
  specsOf,
} from '../../support/endpoints.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** A cluster on a fake clock, with every upstream it ever made. */
class Bench {
  readonly clock = new FakeClock();
  readonly upstreams: IdleUpstream[] = [];
  readonly cluster: Cluster;

  constructor(specs: readonly EndpointSpec[] | null, options: ClusterOptions = clusterOptions()) {
    this.cluster = new Cluster(options, this.clock, () => {
      const upstream = new IdleUpstream();
      this.upstreams.push(upstream);
      return upstream;
    });
    if (specs !== null) this.cluster.setMembers(specs);
  }

  pick(...tried: readonly Endpoint[]): Endpoint {
    return this.cluster.pick(requestWith(...tried)) as Endpoint;
  }

  /** Ids chosen by so many first attempts, with how often. */
  picks(count: number): Map<string, number> {
    const counts = new Map<string, number>();
    for (let pick = 0; pick < count; pick++) {
      const { id } = this.pick().spec;
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return counts;
  }

  /** One attempt at that endpoint, start to end. */
  serve(endpoint: Endpoint, status: number, code: FailureCode | null = null): void {
    this.cluster.started(endpoint);
    const failure = code === null ? null : new Failure(code);
    this.cluster.ended(endpoint, { status, failure, durationMs: 1 });
  }

  member(index: number): Endpoint {
    return this.cluster.members[index] as Endpoint;
  }

  get open(): number {
    return this.upstreams.filter(({ closed }) => !closed).length;
  }
}

describe('cluster members', () => {
  it('keeps endpoints, counts and connections over a new list', () => {
    const bench = new Bench(specsOf(3));
    const before = [...bench.cluster.members];
    bench.serve(bench.member(1), 200);

    bench.cluster.setMembers([specOf(2), specOf(1, { weight: 5 }), specOf(3)]);

    expect(bench.cluster.members.slice(0, 2)).to.deep.equal([before[2], before[1]]);
    expect(bench.member(1).attempts).to.equal(1);
    expect(bench.member(1).spec.weight).to.equal(5);
    expect(bench.upstreams).to.have.length(4);
  });

  it('builds nothing when a list says what is known, in whatever order', () => {
    const bench = new Bench([specOf(0, { tags: ['x'], meta: new Map([['k', 'v']]) }), specOf(1)]);
    const { picker, members } = bench.cluster;

    bench.cluster.setMembers([specOf(1), specOf(0, { tags: ['x'], meta: new Map([['k', 'v']]) })]);

    expect(bench.cluster.picker).to.equal(picker);
    expect(bench.cluster.members).to.equal(members);
  });

  for (const [what, change] of Object.entries({
    weight: { weight: 2 },
    zone: { zone: 'b' },
    health: { health: 'critical' },
    tags: { tags: ['canary'] },
    metadata: { meta: new Map([['version', '2']]) },
  } satisfies Record<string, Partial<EndpointSpec>>)) {
    it(`builds a new picker and no new connection when a ${what} changes`, () => {
      const bench = new Bench(specsOf(2));
      const { picker } = bench.cluster;

      bench.cluster.setMembers([specOf(0), specOf(1, change)]);

      expect(bench.cluster.picker).to.not.equal(picker);
      expect(bench.upstreams).to.have.length(2);
    });
  }

  it('takes an id at another address for another endpoint', () => {
    const bench = new Bench([specOf(0)]);

    bench.cluster.setMembers([specOf(0, { port: 9090 })]);

    expect(bench.member(0).key).to.equal('10.0.0.0:9090');
    expect(bench.upstreams.map(({ closed }) => closed)).to.deep.equal([true, false]);
  });

  it('lists an endpoint once that the registry lists twice', () => {
    expect(new Bench([specOf(0), specOf(0)]).cluster.members).to.have.length(1);
  });

  it('closes what has left when its last attempt has ended', () => {
    const bench = new Bench(specsOf(2));
    const leaving = bench.member(0);
    bench.cluster.started(leaving);

    bench.cluster.setMembers([specOf(1)]);
    expect(bench.open).to.equal(2);
    bench.cluster.ended(leaving, { status: 200, failure: null, durationMs: 1 });

    expect(bench.upstreams.map(({ closed }) => closed)).to.deep.equal([true, false]);
  });

  it('takes an endpoint back that returns while it still has work', () => {
    const bench = new Bench(specsOf(2));
    const leaving = bench.member(0);
    bench.cluster.started(leaving);
    bench.cluster.setMembers([specOf(1)]);

    bench.cluster.setMembers(specsOf(2));
    bench.cluster.ended(leaving, { status: 200, failure: null, durationMs: 1 });

    expect(bench.member(0)).to.equal(leaving);
    expect(bench.open).to.equal(2);
  });

  it('survives 1,000 swaps under load without a leak', () => {
    const bench = new Bench(specsOf(10));
    const running: Endpoint[] = [];

    for (let swap = 0; swap < 1000; swap++) {
      const first = swap % 20;
      bench.cluster.setMembers(Array.from({ length: 10 }, (_, index) => specOf(first + index)));
      const endpoint = bench.pick();
      expect(bench.cluster.members).to.include(endpoint);
      bench.cluster.started(endpoint);
      running.push(endpoint);
      if (running.length > 5) {
        const ended = running.shift() as Endpoint;
        const refused = swap % 7 === 0;
        bench.cluster.ended(ended, {
          status: refused ? 0 : 200,
          failure: refused ? new Failure('connection_refused') : null,
          durationMs: 1,
        });
      }
      bench.clock.advance(100);
    }
    for (const endpoint of running) {
      bench.cluster.ended(endpoint, { status: 200, failure: null, durationMs: 1 });
    }

    expect(bench.open).to.equal(10);
    bench.cluster.close();
    expect(bench.open).to.equal(0);
    expect(bench.clock.pending).to.equal(0);
  }).timeout(10_000);

  it('stays open after close for the requests that entered before', () => {
    const bench = new Bench(specsOf(2));
    bench.cluster.limits.tryEnter();

    bench.cluster.close();
    expect(bench.pick()).to.not.equal(null);
    expect(bench.open).to.equal(2);
    bench.cluster.limits.leave();

    expect(bench.open).to.equal(0);
  });
});

describe('a first resolution', () => {
  it('lets waiting requests go, once', () => {
    const bench = new Bench(null);
    let calls = 0;
    bench.cluster.whenResolved(() => calls++);

    bench.cluster.setMembers(specsOf(1));
    bench.cluster.setMembers(specsOf(2));

    expect(calls).to.equal(1);
    expect(bench.cluster.resolved).to.equal(true);
  });

  it('may be empty', () => {
    const bench = new Bench(null);
    bench.cluster.setMembers([]);

    expect(bench.cluster.resolved).to.equal(true);
    expect(bench.pick()).to.equal(null);
  });

  it('does not call back who has stopped waiting', () => {
    const bench = new Bench(null);
    let calls = 0;
    const stop = bench.cluster.whenResolved(() => calls++);

    stop();
    bench.cluster.setMembers(specsOf(1));

    expect(calls).to.equal(0);
  });

  it('is not waited for in vain when the cluster closes', () => {
    const bench = new Bench(null);
    let calls = 0;
    bench.cluster.whenResolved(() => calls++);

    bench.cluster.close();

    expect(calls).to.equal(1);
  });
});

describe('usable set', () => {
  it('leaves out critical, maintained and ejected members, and weight 0', () => {
    const bench = new Bench([
      specOf(0),
      specOf(1),
      specOf(2),
      specOf(3, { health: 'critical' }),
      specOf(4, { health: 'maintenance' }),
      specOf(5, { weight: 0 }),
      specOf(6),
    ]);
    bench.serve(bench.member(6), 0, 'connection_refused');

    expect([...bench.picks(500).keys()].sort()).to.deep.equal(['e0', 'e1', 'e2']);
    expect(bench.cluster.usable).to.equal(3);
    expect(bench.cluster.panic).to.equal(false);
    expect(bench.cluster.unusable()).to.deep.equal({ critical: 1, maintenance: 1, ejected: 1 });
  });

  it('is everybody but those in maintenance when less than half is usable', () => {
    const bench = new Bench([
      specOf(0),
      specOf(1, { health: 'critical' }),
      specOf(2, { health: 'critical' }),
      specOf(3, { health: 'maintenance' }),
    ]);

    expect([...bench.picks(500).keys()].sort()).to.deep.equal(['e0', 'e1', 'e2']);
    expect(bench.cluster.lastReason).to.equal('panic');
    expect(bench.cluster.usable).to.equal(1);
  });

  it('is no panic at exactly half', () => {
    const bench = new Bench([specOf(0), specOf(1, { health: 'critical' })]);

    expect(bench.cluster.panic).to.equal(false);
    expect([...bench.picks(50).keys()]).to.deep.equal(['e0']);
  });

  it('does not count what an operator took out as lost', () => {
    const bench = new Bench([
      specOf(0),
      ...Array.from({ length: 5 }, (_, index) => specOf(index + 1, { health: 'maintenance' })),
      ...Array.from({ length: 5 }, (_, index) => specOf(index + 6, { weight: 0 })),
    ]);

    expect(bench.cluster.panic).to.equal(false);
    expect([...bench.picks(50).keys()]).to.deep.equal(['e0']);
  });

  it('can be empty when panic is off', () => {
    const bench = new Bench(
      [specOf(0, { health: 'critical' })],
      clusterOptions({ balancing: { panicThreshold: 0 } }),
    );

    expect(bench.pick()).to.equal(null);
  });

  it('is never anybody in maintenance', () => {
    const bench = new Bench([specOf(0, { health: 'maintenance' })]);

    expect(bench.pick()).to.equal(null);
    expect(bench.cluster.panic).to.equal(false);
  });

  it('is rebuilt when a refused connection ejects, and when a trial brings back', () => {
    const bench = new Bench(specsOf(3));
    const lost = bench.member(0);
    bench.serve(lost, 0, 'connection_refused');
    expect(bench.picks(200).has('e0')).to.equal(false);

    bench.clock.advance(61_000);
    expect(bench.pick()).to.equal(lost);
    expect(bench.cluster.lastReason).to.equal('explore');
    bench.serve(lost, 200);

    expect(bench.cluster.usable).to.equal(3);
    expect(bench.picks(2000).get('e0')).to.be.above(0);
  });

  it('sends no trial with a retry, and none in panic', () => {
    const bench = new Bench(specsOf(3));
    bench.serve(bench.member(0), 0, 'connection_refused');
    bench.clock.advance(61_000);

    expect(bench.pick(bench.member(1))).to.equal(bench.member(2));
    expect(bench.cluster.lastReason).to.equal('retry_other_endpoint');
  });

  it('lets a trial succeed with its response head', () => {
    const bench = new Bench(specsOf(3));
    bench.serve(bench.member(0), 0, 'connection_refused');
    bench.clock.advance(61_000);
    const trial = bench.pick();
    bench.cluster.started(trial);

    bench.cluster.answered(trial, 200);

    expect(bench.cluster.usable).to.equal(3);
  });

  it('tries an ejected endpoint at once when its check passes again', () => {
    const bench = new Bench(specsOf(3));
    bench.serve(bench.member(0), 0, 'connection_refused');
    bench.cluster.setMembers([specOf(0, { health: 'critical' }), specOf(1), specOf(2)]);

    bench.cluster.setMembers(specsOf(3));

    expect(bench.pick()).to.equal(bench.member(0));
  });
});

describe('easing in', () => {
  it('brings an ejected endpoint back gradually over ten seconds', () => {
    const bench = new Bench(specsOf(2), clusterOptions({ balancing: { policy: 'random' } }));
    bench.serve(bench.member(0), 0, 'connection_refused');
    bench.clock.advance(61_000);
    bench.serve(bench.pick(), 200);

    const shares: number[] = [];
    for (let second = 0; second <= 10; second += 5) {
      shares.push((bench.picks(4000).get('e0') ?? 0) / 4000);
      bench.clock.advance(5000);
    }

    // Chosen by half and let stand by the soft weight: 0.1, 0.5, 1.
    expect(shares[0]).to.be.closeTo(0.05, 0.02);
    expect(shares[1]).to.be.closeTo(0.25, 0.03);
    expect(shares[2]).to.be.closeTo(0.5, 0.03);
    expect(bench.clock.pending).to.equal(0);
  });

  it('holds back an idle endpoint that least request would always prefer', () => {
    const bench = new Bench(
      specsOf(2),
      clusterOptions({ balancing: { slowStart: { windowMs: 10_000, aggression: 1 } } }),
    );
    for (const endpoint of bench.cluster.members) bench.cluster.started(endpoint);

    bench.cluster.setMembers(specsOf(3));

    // Idle, so it wins whenever it is drawn: 2/3, times a tenth.
    expect((bench.picks(4000).get('e2') ?? 0) / 4000).to.be.closeTo(0.067, 0.02);
  });

  it('does not apply to the first list, nor to retries', () => {
    const bench = new Bench(
      specsOf(2),
      clusterOptions({ balancing: { slowStart: { windowMs: 10_000, aggression: 1 } } }),
    );
    expect(bench.member(0).softWeight).to.equal(1);

    bench.cluster.setMembers(specsOf(3));

    expect(bench.pick(bench.member(0), bench.member(1))).to.equal(bench.member(2));
  });

  it('still chooses somebody when all are new', () => {
    const bench = new Bench(
      [],
      clusterOptions({ balancing: { slowStart: { windowMs: 10_000, aggression: 1 } } }),
    );
    bench.cluster.setMembers(specsOf(3));

    const counts = bench.picks(3000);

    for (const id of ['e0', 'e1', 'e2']) expect(counts.get(id)).to.be.within(900, 1100);
  });
});

describe('zones of a cluster', () => {
  const zoned = (own: string, a: number, b: number, parts = {}): Bench => {
    const bench = new Bench(
      [
        ...Array.from({ length: a }, (_, index) => specOf(index, { zone: 'a' })),
        ...Array.from({ length: b }, (_, index) => specOf(100 + index, { zone: 'b' })),
      ],
      clusterOptions({ zone: own, ...parts }),
    );
    bench.cluster.setCallers(
      new Map([
        ['a', 2],
        ['b', 2],
      ]),
    );
    return bench;
  };

  /** Share of first attempts that go to zone `a`, and the reasons given. */
  const measure = (bench: Bench): { share: number; reasons: string[] } => {
    const reasons = new Set<string>();
    let local = 0;
    for (let pick = 0; pick < 20_000; pick++) {
      if (bench.pick().spec.zone === 'a') local++;
      reasons.add(bench.cluster.lastReason);
    }
    return { share: local / 20_000, reasons: [...reasons].sort() };
  };

  it('keeps what the local zone can carry and spills the rest', () => {
    const { share, reasons } = measure(zoned('a', 1, 3));

    // A quarter of the endpoints for half of the callers.
    expect(share).to.be.closeTo(0.5, 0.01);
    expect(reasons).to.deep.equal(['zone_local', 'zone_spill']);
  });

  it('stays local when the local zone suffices', () => {
    const { share, reasons } = measure(zoned('a', 4, 2));

    expect(share).to.equal(1);
    expect(reasons).to.deep.equal(['zone_local']);
  });

  it('counts usable endpoints only', () => {
    const bench = zoned('a', 4, 4);
    for (const index of [0, 1]) bench.serve(bench.member(index), 0, 'connection_refused');

    // 2 of 6 for half of the callers: 3333 / 5000.
    expect(measure(bench).share).to.be.closeTo(0.6666, 0.01);
  });

  it('says so when nobody in the local zone is usable', () => {
    const bench = zoned('a', 2, 4);
    for (const index of [0, 1]) bench.serve(bench.member(index), 0, 'connection_refused');

    expect(measure(bench)).to.deep.equal({ share: 0, reasons: ['local_unhealthy'] });
  });

  it('has a minimum size for `proportional`, none for `prefer`', () => {
    expect(measure(zoned('a', 2, 2)).reasons).to.deep.equal(['zone_local']);
    expect(
      measure(zoned('a', 2, 2, { balancing: { zone: 'proportional' } })).reasons,
    ).to.deep.equal(['policy']);
  });

  it('means nothing without a zone of our own, without callers, or under `ignore`', () => {
    const uncounted = zoned('a', 2, 2);
    uncounted.cluster.setCallers(new Map());

    for (const bench of [
      zoned('', 2, 2),
      uncounted,
      zoned('a', 2, 2, { balancing: { zone: 'ignore' } }),
    ]) {
      const { share, reasons } = measure(bench);
      expect(share).to.be.closeTo(0.5, 0.02);
      expect(reasons).to.deep.equal(['policy']);
    }
  });

  it('never leaves the zone under `strict`, not even in panic', () => {
    const strict = { balancing: { zone: 'strict' as const } };
    const bench = zoned('a', 2, 4, strict);
    expect(measure(bench)).to.deep.equal({ share: 1, reasons: ['zone_local'] });

    for (const index of [0, 1]) bench.serve(bench.member(index), 0, 'connection_refused');

    expect(measure(bench)).to.deep.equal({ share: 1, reasons: ['panic'] });
    expect(zoned('c', 2, 4, strict).pick()).to.equal(null);
    expect(zoned('c', 2, 4, strict).cluster.emptyCode).to.equal('subset_empty');
  });

  it('counts attempts per zone over picker swaps', () => {
    const bench = zoned('a', 2, 2);
    bench.serve(bench.member(0), 200);
    bench.serve(bench.member(3), 200);
    bench.cluster.healthChanged();
    bench.serve(bench.member(0), 200);

    expect(bench.cluster.load.attempts('a')).to.equal(2);
    expect(bench.cluster.load.attempts('b')).to.equal(1);
  });

  it('sends a retry to another endpoint, outside the zone if need be', () => {
    const bench = zoned('a', 1, 1);

    expect(bench.pick(bench.member(0))).to.equal(bench.member(1));
    expect(bench.cluster.lastReason).to.equal('retry_other_endpoint');
  });

  it('leaves a zone in which two endpoints have failed', () => {
    const bench = zoned('a', 10, 2);

    for (let retry = 0; retry < 50; retry++) {
      expect(bench.pick(bench.member(0), bench.member(1)).spec.zone).to.equal('b');
    }
  });

  it('says that there was only one', () => {
    const bench = new Bench(specsOf(1));

    expect(bench.pick()).to.equal(bench.member(0));
    expect(bench.cluster.lastReason).to.equal('only_endpoint');
    expect(bench.pick(bench.member(0))).to.equal(bench.member(0));
    expect(bench.cluster.lastReason).to.equal('only_endpoint');
  });
});

describe('cluster accounts', () => {
  it('earns retry tokens by successes only', () => {
    const bench = new Bench(
      specsOf(2),
      clusterOptions({ retries: { initialTokens: 0, perSecond: 0 } }),
    );

    for (let request = 0; request < 10; request++) bench.serve(bench.member(0), 500);
    expect(bench.cluster.budget.tokens).to.equal(0);
    for (let request = 0; request < 10; request++) bench.serve(bench.member(0), 404);

    expect(bench.cluster.budget.tokens).to.equal(1);
  });

  it('counts requests, their failures and what became of retries', () => {
    const { cluster } = new Bench(specsOf(2));

    cluster.finished(1, 200, null);
    cluster.finished(1, 503, null);
    cluster.finished(1, 0, new Failure('per_try_timeout'));
    cluster.finished(1, 0, new Failure('downstream_closed'));
    cluster.retryDecided(null);
    cluster.retryDecided('budget');
    cluster.retryDecided('final');

    expect(cluster.counters).to.deep.equal({
      requests: 4,
      failures: 2,
      retries: 1,
      retriesDenied: 1,
    });
  });

  it('keeps endpoints, ejections and tokens when options change, and swaps the policy', () => {
    const bench = new Bench(specsOf(3));
    bench.serve(bench.member(0), 0, 'connection_refused');
    const before = [...bench.cluster.members];

    bench.cluster.reconfigure(
      clusterOptions({
        balancing: { policy: 'round_robin' },
        limits: { maxRequests: 1 },
        retries: { maxTokens: 4 },
      }),
    );

    expect(bench.cluster.members).to.deep.equal(before);
    expect(bench.cluster.usable).to.equal(2);
    expect(bench.cluster.policy).to.equal('round_robin');
    expect(bench.cluster.budget.tokens).to.equal(4);
    expect([bench.cluster.limits.tryEnter(), bench.cluster.limits.tryEnter()]).to.deep.equal([
      true,
      false,
    ]);
  });

  it('says why there is nobody', () => {
    const codes = [
      new Bench(null),
      new Bench([]),
      new Bench([specOf(0, { health: 'maintenance' })]),
    ].map(({ cluster }) => cluster.emptyCode);

    expect(codes).to.deep.equal(['discovery_pending', 'unknown_service', 'no_healthy_upstream']);
  });
});
