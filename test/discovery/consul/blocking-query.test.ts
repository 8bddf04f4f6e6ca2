import { expect } from 'chai';
import {
  BlockingQuery,
  type BlockingQueryOptions,
  type QueryFailure,
  type QueryReply,
} from '../../../discovery/consul/blocking-query.ts';
import type { ConsulOutcome, ConsulRequest } from '../../../discovery/consul/transport.ts';
import { FakeClock } from '../../support/fake-clock.ts';

interface Asked {
  readonly request: ConsulRequest;
  readonly atMs: number;
  readonly answer: (outcome: ConsulOutcome) => void;
}

/** A query against answers that the test gives one by one, or by a rule. */
class Harness {
  readonly clock = new FakeClock();
  readonly asked: Asked[] = [];
  readonly replies: QueryReply[] = [];
  readonly failures: QueryFailure[] = [];
  readonly query: BlockingQuery;
  readonly running: Promise<void>;
  rule: ((request: ConsulRequest) => ConsulOutcome) | null = null;
  apply: (reply: QueryReply) => string | null = () => null;
  readonly #stop = new AbortController();

  constructor(options: Partial<BlockingQueryOptions> = {}) {
    this.query = new BlockingQuery({
      request: (request) => this.#request(request),
      path: '/v1/health/service/web',
      query: {},
      clock: this.clock,
      signal: this.#stop.signal,
      apply: (reply) => {
        this.replies.push(reply);
        return Promise.resolve().then(() => this.apply(reply));
      },
      failed: (failure) => this.failures.push(failure),
      cached: false,
      waitMs: 55_000,
      pollMs: 10_000,
      ...options,
    });
    this.running = this.query.run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.running;
  }

  /** Lets `ms` pass, with time for every promise after each tenth of a second or less. */
  async pass(ms: number): Promise<void> {
    const step = Math.max(10, Math.min(100, ms / 50));
    for (let passed = 0; passed < ms; passed += step) {
      this.clock.advance(Math.min(step, ms - passed));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Answers the request that is open, which must come within the longest back-off. */
  async answer(outcome: ConsulOutcome): Promise<ConsulRequest> {
    const open = await this.open();
    open.answer(outcome);
    await new Promise((resolve) => setImmediate(resolve));
    return open.request;
  }

  async open(): Promise<Asked> {
    for (let i = 0; i < 400; i++) {
      const last = this.asked.at(-1);
      if (last !== undefined && !this.#answered.has(last)) {
        this.#answered.add(last);
        return last;
      }
      await this.pass(100);
    }
    throw new Error('no request came');
  }

  readonly #answered = new Set<Asked>();

  #request(request: ConsulRequest): Promise<ConsulOutcome> {
    return new Promise((resolve) => {
      const rule = this.rule;
      this.asked.push({ request, atMs: this.clock.now(), answer: resolve });
      if (rule !== null) resolve(rule(request));
      request.signal?.addEventListener('abort', () =>
        resolve({ ok: false, reason: 'cancelled', error: new Error('cancelled') }),
      );
    });
  }
}

function reply(
  index: string | null,
  body = '[]',
  status = 200,
  headers: Record<string, string> = {},
): ConsulOutcome {
  const all = { 'x-consul-knownleader': 'true', ...headers };
  return {
    ok: true,
    status,
    headers: index === null ? all : { ...all, 'x-consul-index': index },
    body: Buffer.from(body),
  };
}

const refused: ConsulOutcome = {
  ok: false,
  reason: 'connect_failed',
  error: new Error('connect ECONNREFUSED'),
};

describe('blocking query', () => {
  let harness: Harness;

  beforeEach(() => {
    harness = new Harness();
  });

  afterEach(() => harness.stop());

  it('asks from index 0, then blocks on the index it was given', async () => {
    const first = await harness.answer(reply('7'));
    const second = await harness.answer(reply('9'));
    const third = await harness.open();

    expect(first.query?.['index']).to.equal('0');
    expect(second.query).to.deep.equal({ index: '7', wait: '55000ms' });
    expect(third.request.query?.['index']).to.equal('9');
  });

  it('keeps an index above 2^53 exact', async () => {
    await harness.answer(reply('18446744073709551615'));
    const next = await harness.open();

    expect(harness.replies[0]?.index).to.equal(18446744073709551615n);
    expect(next.request.query?.['index']).to.equal('18446744073709551615');
  });

  it('allows the wait, its sixteenth and five seconds for an answer', async () => {
    const { request } = await harness.open();

    expect(request.timeoutMs).to.equal(55_000 + 55_000 / 16 + 5_000);
  });

  it('takes no index and no data from a 500', async () => {
    await harness.answer(reply('2154', '[1]'));
    await harness.answer(reply('1', '[]', 500));
    await harness.answer(reply('2154', '[1]'));
    const next = await harness.open();

    expect(harness.replies.map(({ index }) => index)).to.deep.equal([2154n, 2154n]);
    expect(next.request.query?.['index']).to.equal('2154');
  });

  it('hands on a reply whose index went back, and starts over at 0', async () => {
    await harness.answer(reply('2154', '[1,2]'));
    await harness.answer(reply('131', '[]'));
    const next = await harness.answer(reply('1227', '[1]'));
    const after = await harness.open();

    expect(harness.replies.map(({ index }) => index)).to.deep.equal([2154n, 131n, 1227n]);
    expect(next.query?.['index']).to.equal('0');
    expect(after.request.query?.['index']).to.equal('1227');
  });

  it('takes a missing index for 1 and reports the third in a row', async () => {
    await harness.answer(reply(null));
    const second = await harness.answer(reply('0'));
    expect(harness.failures).to.deep.equal([]);
    await harness.answer(reply('x'));
    await harness.open();

    expect(second.query?.['index']).to.equal('1');
    expect(harness.replies.every(({ index }) => index === 1n)).to.equal(true);
    expect(harness.failures.map(({ kind }) => kind)).to.deep.equal(['unusable']);
  });

  it('asks ever more rarely on an index that moves without news', async () => {
    let index = 0;
    harness.rule = () => reply(String(++index));

    await harness.pass(120_000);

    expect(harness.asked.length).to.be.within(10, 20);
  });

  it('asks at most once a second on a service that changes all the time', async () => {
    let index = 0;
    harness.rule = () => reply(String(++index), `[${index}]`);

    await harness.pass(60_000);

    expect(harness.asked.length).to.be.within(50, 70);
  });

  it('tells whether a body is another one than the last applied', async () => {
    await harness.answer(reply('1', '[1]'));
    await harness.answer(reply('2', '[1]'));
    await harness.answer(reply('3', '[2]'));

    expect(harness.replies.map(({ changed }) => changed)).to.deep.equal([true, false, true]);
  });

  it('backs off with jitter up to 15 seconds and never gives up', async () => {
    harness.rule = () => refused;

    await harness.pass(300_000);

    const times = harness.asked.map(({ atMs }) => atMs);
    const gaps = times.slice(1).map((at, i) => at - (times[i] ?? 0));
    expect(harness.asked.length).to.be.within(20, 100);
    expect(Math.max(...gaps)).to.be.at.most(15_200);
    expect(Math.max(...gaps)).to.be.at.least(5_000);
    expect(new Set(gaps.slice(-10).map(Math.round)).size).to.be.at.least(5);
  });

  it('asks in full after an outage, as a blocked query would not show its end', async () => {
    await harness.answer(reply('7'));
    await harness.answer(refused);
    const next = await harness.open();

    expect(next.request.query).to.deep.equal({});
  });

  it('waits as long as Retry-After says', async () => {
    await harness.answer(reply(null, 'rate limit', 429, { 'retry-after': '30' }));
    const failedAtMs = harness.clock.now();
    const next = await harness.open();

    expect(next.atMs - failedAtMs).to.be.at.least(29_900);
    expect(harness.failures[0]?.kind).to.equal('unavailable');
  });

  it('does not let Retry-After silence it for more than five minutes', async () => {
    await harness.answer(reply(null, '', 503, { 'retry-after': '999999' }));
    await harness.pass(301_000);

    expect(harness.asked.length).to.equal(2);
  });

  for (const [status, kind] of [
    [400, 'rejected'],
    [403, 'denied'],
    [404, 'rejected'],
  ] as const) {
    it(`retries slowly after ${status}, which is ${kind}, and keeps its state`, async () => {
      await harness.answer(reply('7', '[1]'));
      await harness.answer(reply('1', 'no', status));
      const failedAtMs = harness.clock.now();
      const next = await harness.open();
      next.answer(reply('7', '[1]'));
      await harness.open();

      expect(harness.failures.map((failure) => failure.kind)).to.deep.equal([kind]);
      expect(next.atMs - failedAtMs).to.be.within(7_400, 15_200);
      expect(harness.replies.at(-1)?.changed).to.equal(false);
    });
  }

  it('brings a reply again whose listener threw', async () => {
    harness.apply = () => {
      throw new Error('listener');
    };
    await harness.answer(reply('7', '[1]'));
    harness.apply = () => null;
    const next = await harness.answer(reply('7', '[1]'));
    await harness.open();

    expect(next.query?.['index']).to.equal(undefined);
    expect(harness.failures.map(({ kind }) => kind)).to.deep.equal(['unusable']);
    expect(harness.replies.map(({ changed }) => changed)).to.deep.equal([true, true]);
  });

  it('reads in full from the servers every five to ten minutes', async () => {
    const cached = new Harness({ cached: true });
    await cached.answer(reply('7'));
    const times: number[] = [];
    for (let minute = 0; minute < 30; minute++) {
      const { request, atMs, answer } = await cached.open();
      if (request.query?.['index'] === undefined) {
        times.push(atMs);
        expect(request.query).to.deep.equal({});
      } else {
        expect(request.query['cached']).to.equal('');
        await cached.pass(55_000);
      }
      answer(reply('7'));
    }
    await cached.stop();

    const gaps = times.slice(1).map((at, i) => at - (times[i] ?? 0));
    expect(times.length).to.be.at.least(2);
    for (const gap of gaps) expect(gap).to.be.within(300_000, 600_000);
  });

  it('reads in full at once when told to', async () => {
    await harness.answer(reply('7'));
    await harness.open();
    harness.query.refresh();
    const next = await harness.open();

    expect(next.request.query).to.deep.equal({});
    expect(harness.failures).to.deep.equal([]);
  });

  it('polls without an index when over the budget of watches', async () => {
    harness.query.setPolling(true);
    harness.rule = () => reply('7');

    await harness.pass(100_000);

    expect(harness.asked.length).to.be.within(9, 12);
    expect(harness.asked.every(({ request }) => request.query?.['index'] === undefined)).to.equal(
      true,
    );
  });

  it('ends at once when told to, and leaves no timer', async () => {
    await harness.answer(reply('7'));
    const open = await harness.open();

    await harness.stop();

    expect(open.request.signal?.aborted).to.equal(true);
    expect(harness.clock.pending).to.equal(0);
    expect(harness.failures).to.deep.equal([]);
  });
});
