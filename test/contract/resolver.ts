import { expect } from 'chai';
import type { EndpointSpec, Resolution, Resolver } from '../../discovery/resolver.ts';
import { advanceUntil } from '../support/advance-until.ts';
import type { FakeClock } from '../support/fake-clock.ts';

/** A resolver on a registry that the contract can change. Instances are told by their port. */
export interface ResolverScene {
  readonly resolver: Resolver;
  readonly clock: FakeClock;
  /** Puts these instances of the service `web` in the registry. */
  list(ports: readonly number[]): Promise<void>;
  /** The registry stops answering for `web`; false where that cannot happen. */
  breakDown(): Promise<boolean>;
  repair(): Promise<void>;
  dispose(): Promise<void>;
}

/** What every registry promises. `web` has no instances and the registry works when a scene opens. */
export function resolverContract(open: () => Promise<ResolverScene>): void {
  let scene: ResolverScene;

  beforeEach(async () => {
    scene = await open();
  });

  afterEach(async () => {
    await scene.resolver.close();
    await scene.dispose();
  });

  function follow(): { told: Resolution[]; stop: () => void } {
    const told: Resolution[] = [];
    return { told, stop: scene.resolver.watch('web', (resolution) => told.push(resolution)) };
  }

  async function comes(told: readonly Resolution[], ports: readonly number[]): Promise<void> {
    await advanceUntil(
      scene.clock,
      () => portsOf(told.at(-1)).join() === ports.join(),
      () => `expected ${ports.join()}, was told ${JSON.stringify(told.map(portsOf))}`,
    );
  }

  async function quiet(): Promise<void> {
    let rounds = 0;
    await advanceUntil(
      scene.clock,
      () => ++rounds > 200,
      () => '',
      { stepMs: 25 },
    );
  }

  it('tells the whole list, and the whole list again when it changed', async () => {
    await scene.list([9001, 9002]);
    const { told } = follow();
    await comes(told, [9001, 9002]);

    await scene.list([9001, 9002, 9003]);
    await comes(told, [9001, 9002, 9003]);
    await scene.list([9001, 9003]);
    await comes(told, [9001, 9003]);
  });

  it('never calls back before watch has returned, also when it knows the answer', async () => {
    await scene.list([9001]);
    const first = follow();
    await comes(first.told, [9001]);

    const second = follow();
    expect(second.told).to.deep.equal([]);
    await comes(second.told, [9001]);
  });

  it('tells nothing when nothing changed', async () => {
    await scene.list([9001]);
    const { told } = follow();
    await comes(told, [9001]);

    await scene.list([9001]);
    await quiet();

    expect(told).to.have.length(1);
  });

  it('keeps the records of endpoints that did not change', async () => {
    await scene.list([9001]);
    const { told } = follow();
    await comes(told, [9001]);
    const before = listOf(told.at(-1))[0];

    await scene.list([9001, 9002]);
    await comes(told, [9001, 9002]);

    expect(listOf(told.at(-1))[0]).to.equal(before);
  });

  it('tells its list in the same order, however the registry sorts', async () => {
    await scene.list([9002, 9001, 9003]);
    const { told } = follow();
    await comes(told, [9001, 9002, 9003]);

    await scene.list([9003, 9002, 9001]);
    await quiet();

    expect(told).to.have.length(1);
  });

  it('tells everyone who follows a service, and who leaves hears no more', async () => {
    await scene.list([9001]);
    const first = follow();
    const second = follow();
    await comes(first.told, [9001]);
    await comes(second.told, [9001]);

    first.stop();
    await scene.list([9001, 9002]);
    await comes(second.told, [9001, 9002]);

    expect(first.told).to.have.length(1);
  });

  it('keeps telling the others when one of them throws, and tells that one again', async () => {
    await scene.list([9001]);
    let failures = 0;
    const late: Resolution[] = [];
    scene.resolver.watch('web', (resolution) => {
      if (failures++ === 0) throw new Error('listener');
      late.push(resolution);
    });
    const { told } = follow();

    await comes(told, [9001]);
    await comes(late, [9001]);
  });

  it('tells an error once, takes no list back, and goes on afterwards', async function () {
    await scene.list([9001]);
    const { told } = follow();
    await comes(told, [9001]);
    if (!(await scene.breakDown())) return this.skip();

    await advanceUntil(
      scene.clock,
      () => told.at(-1)?.ok === false,
      () => 'no error was told',
    );
    await quiet();
    const late = follow();
    await comes(late.told, [9001]);
    await scene.repair();
    await scene.list([9001, 9002]);
    await comes(told, [9001, 9002]);

    expect(told.map(({ ok }) => ok)).to.deep.equal([true, false, true]);
  });

  it('knows the state of what is followed, and of nothing else', async () => {
    await scene.list([9001]);
    const { told } = follow();
    await comes(told, [9001]);

    expect(scene.resolver.status('web')).to.deep.include({
      service: 'web',
      fromSnapshot: false,
      quarantine: null,
      lastError: null,
    });
    expect(scene.resolver.status('web')?.ageMs).to.be.a('number');
    expect(scene.resolver.status('api')).to.equal(null);
  });

  it('is silent after close and leaves no timer', async () => {
    await scene.list([9001]);
    const { told } = follow();
    await comes(told, [9001]);

    await scene.resolver.close();
    await scene.list([9001, 9002]);
    await quiet();

    expect(told).to.have.length(1);
    expect(scene.clock.pending).to.equal(0);
  });
}

function listOf(resolution: Resolution | undefined): readonly EndpointSpec[] {
  return resolution?.ok === true ? resolution.endpoints : [];
}

function portsOf(resolution: Resolution | undefined): readonly number[] {
  return listOf(resolution).map(({ port }) => port);
}
