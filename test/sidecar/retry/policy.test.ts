import { expect } from 'chai';
import fc from 'fast-check';
import { Failure, type FailureCode } from '../../../sidecar/failure.ts';
import { RetryBudget } from '../../../sidecar/retry/budget.ts';
import { type RetryContext, type RetryDenied, RetryPolicy } from '../../../sidecar/retry/policy.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const policy = new RetryPolicy({ max: 2, on: [502, 503, 504], baseMs: 25, maxMs: 250 });

function budgetOf(tokens: number): RetryBudget {
  return new RetryBudget(
    { perSuccess: 0.1, perSecond: 0, maxTokens: 10, initialTokens: tokens },
    new FakeClock(),
  );
}

/** A GET whose first attempt was answered with 503, with everything in favour of another. */
function contextOf(fields: Partial<RetryContext> = {}): RetryContext {
  return {
    failure: null,
    status: 503,
    method: 'GET',
    idempotencyKey: false,
    replayable: true,
    attempt: 1,
    headSent: false,
    timeLeftMs: Number.POSITIVE_INFINITY,
    typicalMs: 0,
    panic: false,
    nested: false,
    retryAfterMs: null,
    budget: budgetOf(10),
    ...fields,
  };
}

function decide(fields: Partial<RetryContext> = {}): RetryDenied | null {
  return policy.decide(contextOf(fields));
}

function failed(code: FailureCode, fields: Partial<RetryContext> = {}): RetryDenied | null {
  return decide({ failure: new Failure(code), status: 0, ...fields });
}

describe('retry policy', () => {
  it('retries idempotent methods after 502, 503 and 504', () => {
    for (const status of [502, 503, 504]) {
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']) {
        expect(decide({ status, method }), `${method} ${status}`).to.equal(null);
      }
    }
  });

  it('retries other methods after an answer only with an Idempotency-Key', () => {
    for (const method of ['POST', 'PATCH', 'CONNECT', 'get', 'PURGE']) {
      expect(decide({ method }), method).to.equal('not_idempotent');
      expect(decide({ method, idempotencyKey: true }), method).to.equal(null);
    }
  });

  it('retries any method when nothing can have reached an application', () => {
    for (const code of [
      'connection_refused',
      'connect_timeout',
      'dns_failure',
      'tls_failure',
      'stream_refused',
      'draining',
    ] as const) {
      expect(failed(code, { method: 'POST' }), code).to.equal(null);
    }
  });

  it('retries what may have reached an application only if idempotent', () => {
    for (const code of [
      'connection_reset',
      'keepalive_race',
      'stream_reset',
      'per_try_timeout',
    ] as const) {
      expect(failed(code), code).to.equal(null);
      expect(failed(code, { method: 'POST' }), code).to.equal('not_idempotent');
    }
  });

  it('lets answers and refusals of ours stand', () => {
    for (const status of [200, 404, 500, 501]) expect(decide({ status })).to.equal('final');
    for (const code of ['upstream_protocol_error', 'overflow', 'denied'] as const) {
      expect(failed(code), code).to.equal('final');
    }
  });

  it('never retries once a response has begun', () => {
    expect(failed('connection_reset', { headSent: true })).to.equal('response_started');
    expect(failed('response_truncated')).to.equal('response_started');
  });

  it('sends at most the configured number of retries', () => {
    expect(decide({ attempt: 2 })).to.equal(null);
    expect(decide({ attempt: 3 })).to.equal('attempts');
  });

  it('leaves retries to the caller above whose retry this is', () => {
    expect(decide({ nested: true })).to.equal('nested');
  });

  it('repeats in panic only what never reached an application', () => {
    expect(failed('connection_reset', { panic: true })).to.equal('panic');
    expect(failed('connection_refused', { panic: true })).to.equal(null);
  });

  it('does not retry a body it cannot send again', () => {
    expect(failed('connection_refused', { replayable: false })).to.equal('body_too_large');
  });

  it('retries after 429 only where configured, and only when told when', () => {
    const also429 = new RetryPolicy({ max: 2, on: [429], baseMs: 25, maxMs: 250 });

    expect(decide({ status: 429, retryAfterMs: 100 })).to.equal('final');
    expect(also429.decide(contextOf({ status: 429 }))).to.equal('rate_limited');
    expect(also429.decide(contextOf({ status: 429, retryAfterMs: 100 }))).to.equal(null);
  });

  it('does not start what cannot end before the deadline', () => {
    expect(decide({ timeLeftMs: 26 })).to.equal(null);
    expect(decide({ timeLeftMs: 25 }), 'back-off').to.equal('deadline');
    expect(decide({ timeLeftMs: 1000, retryAfterMs: 1000 }), 'Retry-After').to.equal('deadline');
    expect(decide({ timeLeftMs: 100, typicalMs: 80 }), 'usual time').to.equal('deadline');
    expect(failed('request_timeout'), 'none left').to.equal('deadline');
  });

  it('charges nothing for an attempt that never reached an application', () => {
    const budget = budgetOf(0);

    expect(failed('connection_refused', { budget })).to.equal(null);
    expect(failed('connection_reset', { budget })).to.equal('budget');
  });

  it('repeats what met a closed idle connection without a token, in panic and for a caller that retries', () => {
    const denying = { budget: budgetOf(0), panic: true, nested: true };

    expect(failed('keepalive_race', denying)).to.equal(null);
    expect(failed('keepalive_race', { ...denying, method: 'POST' })).to.equal('not_idempotent');
    expect(failed('keepalive_race', { ...denying, attempt: 3 })).to.equal('attempts');
  });

  it('takes a token for every retry it allows, and none for those it denies', () => {
    const budget = budgetOf(2);

    expect(decide({ budget, nested: true })).to.equal('nested');
    expect(decide({ budget })).to.equal(null);
    expect(decide({ budget })).to.equal(null);
    expect(decide({ budget })).to.equal('budget');
  });

  it('never allows a retry that could repeat an effect', () => {
    const contexts = fc.record({
      code: fc.constantFrom<FailureCode | null>(
        null,
        'connection_refused',
        'connection_reset',
        'per_try_timeout',
        'request_timeout',
        'response_truncated',
        'stream_reset',
      ),
      status: fc.constantFrom(200, 500, 502, 503, 504),
      method: fc.constantFrom('GET', 'POST', 'PATCH', 'PUT'),
      idempotencyKey: fc.boolean(),
      replayable: fc.boolean(),
      headSent: fc.boolean(),
    });
    fc.assert(
      fc.property(contexts, ({ code, ...fields }) => {
        const failure = code === null ? null : new Failure(code);
        if (decide({ ...fields, failure }) !== null) return;

        expect(fields.headSent).to.equal(false);
        expect(fields.replayable).to.equal(true);
        const repeatable = fields.idempotencyKey || ['GET', 'PUT'].includes(fields.method);
        expect(repeatable || code === 'connection_refused').to.equal(true);
      }),
      { numRuns: 500 },
    );
  });
});
