import { expect } from 'chai';
import { Limits } from '../../../sidecar/cluster/limits.ts';
import { Failure } from '../../../sidecar/failure.ts';

describe('limits', () => {
  it('let in as many as configured, and another when one has left', () => {
    const limits = new Limits('orders', 2);
    expect([limits.tryEnter(), limits.tryEnter(), limits.tryEnter()]).to.deep.equal([
      true,
      true,
      false,
    ]);

    limits.leave();

    expect(limits.tryEnter()).to.equal(true);
    expect(limits.overflows.maxRequests).to.equal(1);
  });

  it('name the limit, its key and the count in the refusal', () => {
    const limits = new Limits('orders', 1);
    limits.tryEnter();

    const failure = limits.overflow();

    expect(failure.code).to.equal('overflow');
    expect(failure.evidence).to.deep.equal({
      service: 'orders',
      limit: 'maxRequests',
      key: 'limits.maxRequests',
      max: 1,
      active: 1,
    });
  });

  it('count the attempts that got no connection, by the limit of the pool that was hit', () => {
    const limits = new Limits('orders', 1);

    limits.attemptFailed(new Failure('overflow', '', { limit: 'maxWaiting' }));
    limits.attemptFailed(new Failure('queue_timeout', '', { limit: 'queueTimeoutMs' }));
    limits.attemptFailed(new Failure('queue_timeout', '', { limit: 'queueTimeoutMs' }));
    limits.attemptFailed(new Failure('connection_refused'));

    expect(limits.overflows).to.deep.equal({ maxRequests: 0, maxWaiting: 1, queueTimeoutMs: 2 });
  });

  it('call back once when the last request has left', () => {
    const limits = new Limits('orders', 5);
    let calls = 0;
    limits.tryEnter();
    limits.whenIdle(() => calls++);

    limits.leave();
    limits.tryEnter();
    limits.leave();

    expect(calls).to.equal(1);
  });
});
