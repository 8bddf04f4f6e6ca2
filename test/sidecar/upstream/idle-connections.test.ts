import { expect } from 'chai';
import {
  type IdleConnection,
  IdleConnections,
} from '../../../sidecar/upstream/idle-connections.ts';
import { FakeClock } from '../../support/fake-clock.ts';

interface Fake extends IdleConnection {
  readonly transport: { over: boolean };
}

describe('idle connections', () => {
  let clock: FakeClock;
  let retired: Fake[];
  let idle: IdleConnections<Fake>;

  beforeEach(() => {
    clock = new FakeClock();
    retired = [];
    idle = new IdleConnections(clock, (connection) => retired.push(connection));
  });

  function push(lifeMs = Number.POSITIVE_INFINITY): Fake {
    const nowMs = clock.now();
    const connection = { idleSinceMs: nowMs, retireMs: nowMs + lifeMs, transport: { over: false } };
    idle.push(connection, nowMs);
    return connection;
  }

  it('gives the one that became idle last', () => {
    const first = push();
    clock.advance(1);
    const second = push();

    expect(idle.take(clock.now())).to.equal(second);
    expect(idle.take(clock.now())).to.equal(first);
    expect(idle.take(clock.now())).to.equal(null);
  });

  it('does not give one whose peer has closed it while its close is still to be reported', () => {
    const open = push();
    push().transport.over = true;

    expect(idle.take(clock.now())).to.equal(open);
    expect(retired).to.deep.equal([]);
  });

  it('retires what is too old rather than giving it', () => {
    const old = push(10);
    clock.advance(10);

    expect(idle.take(clock.now())).to.equal(null);
    expect(retired).to.deep.equal([old]);
  });

  it('sweeps out only those that have been idle too long', () => {
    const first = push();
    clock.advance(1000);
    const second = push();
    clock.advance(3000);
    expect(retired).to.deep.equal([first]);
    clock.advance(1000);

    expect(retired).to.deep.equal([first, second]);
    expect(clock.pending).to.equal(0);
  });

  it('sweeps earlier as soon as it learns of a shorter keep-alive time', () => {
    const connection = push();
    idle.announced(1000, clock.now());
    clock.advance(799);
    expect(retired).to.deep.equal([]);
    clock.advance(1);

    expect(retired).to.deep.equal([connection]);
    expect(idle.learnedMs).to.equal(1000);
  });

  it('forgets one that has closed', () => {
    const first = push();
    const second = push();
    idle.remove(second);
    idle.remove(second);

    expect(idle.take(clock.now())).to.equal(first);
    expect(idle.take(clock.now())).to.equal(null);
  });
});
