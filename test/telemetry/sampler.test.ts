import { ROOT_CONTEXT } from '@opentelemetry/api';
import { SamplingDecision, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-base';
import { expect } from 'chai';
import { RandomIds } from '../../telemetry/random-ids.ts';
import { ConstantSampler, RatioSampler } from '../../telemetry/sampler.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** Seeded bytes: the same ids in every run. */
function seededIds(seed: number): RandomIds {
  const clock = new FakeClock({ seed });
  return new RandomIds((bytes) => {
    for (let at = 0; at < bytes.length; at++) bytes[at] = Math.floor(clock.random() * 256);
  });
}

describe('ratio sampler', () => {
  for (const ratio of [0, 0.0001, 0.1, 0.5, 0.9999, 1]) {
    it(`decides like the SDK for 10,000 ids at ${ratio}`, () => {
      const theirs = new TraceIdRatioBasedSampler(ratio);
      const ours = new RatioSampler(ratio);
      const ids = seededIds(7);
      const differ: string[] = [];

      for (let n = 0; n < 10_000; n++) {
        const id = ids.traceId();
        const { decision } = theirs.shouldSample(ROOT_CONTEXT, id);
        if (ours.sample(id) !== (decision === SamplingDecision.RECORD_AND_SAMPLED)) differ.push(id);
      }

      expect(differ).to.deep.equal([]);
    });
  }

  it('takes its share', () => {
    const sampler = new RatioSampler(0.1);
    const ids = seededIds(3);
    let sampled = 0;
    for (let n = 0; n < 10_000; n++) if (sampler.sample(ids.traceId())) sampled++;

    expect(sampled).to.be.within(900, 1100);
  });

  it('names what its decisions come from', () => {
    expect(new RatioSampler(0.5).reason).to.equal('ratio');
    expect(new ConstantSampler(true).reason).to.equal('always_on');
    expect(new ConstantSampler(false).sample()).to.equal(false);
  });
});

describe('random ids', () => {
  it('are never all zero and never repeat', () => {
    let zeros = 2;
    const ids = new RandomIds((bytes) => {
      // The first pools are bad luck: all zero.
      if (zeros-- > 0) bytes.fill(0);
      else for (let at = 0; at < bytes.length; at++) bytes[at] = (at * 7 + 1) & 0xff;
    });

    expect(ids.traceId()).to.match(/^(?!0{32})[0-9a-f]{32}$/);
    expect(ids.spanId()).to.match(/^(?!0{16})[0-9a-f]{16}$/);
    const real = new RandomIds();
    const seen = new Set(Array.from({ length: 2000 }, () => real.spanId()));
    expect(seen.size).to.equal(2000);
  });
});
