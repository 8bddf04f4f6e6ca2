import { expect } from 'chai';
import { PendingHeads, pendingHeads } from '../../../sidecar/http1/pending-heads.ts';
import { Downstream } from '../../support/http1-downstream.ts';

function head(evicted: string[], name: string): { evict(): void } {
  return { evict: () => evicted.push(name) };
}

describe('unfinished heads of the process', () => {
  it('are kept up to the limit, above it the oldest goes', () => {
    const evicted: string[] = [];
    const heads = new PendingHeads(10);
    const [a, b] = [head(evicted, 'a'), head(evicted, 'b')];

    heads.keep(a, 4);
    heads.keep(b, 6);
    const atLimit = [...evicted];
    heads.keep(a, 5);

    expect([atLimit, evicted, heads.bytes]).to.deep.equal([[], ['a'], 6]);
  });

  it('count no longer when they are complete', () => {
    const heads = new PendingHeads(10);
    const one = head([], 'a');

    heads.keep(one, 10);
    heads.release(one);
    heads.release(one);

    expect(heads.bytes).to.equal(0);
  });

  it('are released by a connection whose head is complete, refused or gone', async () => {
    const before = pendingHeads.bytes;
    const [complete, refused, gone] = [new Downstream(), new Downstream(), new Downstream()];
    for (const downstream of [complete, refused, gone]) downstream.send('GET /');
    const kept = pendingHeads.bytes - before;

    complete.send(' HTTP/1.1\r\nHost: a\r\n\r\n');
    refused.send('\0');
    gone.transport.reset();
    await new Promise((resolve) => setImmediate(resolve));

    expect([kept, pendingHeads.bytes - before]).to.deep.equal([15, 0]);
  });

  it('are answered when they are evicted', () => {
    const downstream = new Downstream();
    downstream.send('GET /');

    downstream.connection.evict();

    expect(downstream.statuses).to.deep.equal([503]);
    expect(downstream.refusals[0]?.code).to.equal('overloaded');
  });
});
