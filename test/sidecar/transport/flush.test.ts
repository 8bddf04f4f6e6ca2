import { expect } from 'chai';
import { FlushList } from '../../../sidecar/transport/flush.ts';

describe('flush list', () => {
  function output(log: string[], name: string): { flush(): void } {
    return { flush: () => log.push(name) };
  }

  it('flushes what a callback wrote when it ends, in the order of writing', () => {
    const list = new FlushList();
    const log: string[] = [];
    list.enter();
    list.add(output(log, 'a'));
    list.add(output(log, 'b'));
    expect(log).to.deep.equal([]);
    list.leave();

    expect(log).to.deep.equal(['a', 'b']);
  });

  it('flushes each output once', () => {
    const list = new FlushList();
    const log: string[] = [];
    list.enter();
    list.add(output(log, 'a'));
    list.leave();
    list.enter();
    list.leave();

    expect(log).to.deep.equal(['a']);
  });

  it('flushes also what a flush made dirty', () => {
    const list = new FlushList();
    const log: string[] = [];
    list.enter();
    list.add({ flush: () => list.add(output(log, 'second')) });
    list.leave();

    expect(log).to.deep.equal(['second']);
  });

  it('flushes what was written outside of a callback before the event loop goes on', async () => {
    const list = new FlushList();
    const log: string[] = [];
    list.add(output(log, 'a'));
    list.add(output(log, 'b'));
    expect(log).to.deep.equal([]);
    setImmediate(() => log.push('next phase'));
    await new Promise((resolve) => setImmediate(resolve));

    expect(log).to.deep.equal(['a', 'b', 'next phase']);
  });
});
