import { expect } from 'chai';
import { DevelopmentRegistry } from '../../../sidecar/up/registry.ts';
import { systemClock } from '../../../telemetry/system-clock.ts';
import {
  newest,
  ResolverUnderTest,
  registrationAt,
  transportTo,
} from '../../support/consul-parts.ts';
import { until } from '../../support/until.ts';

const LIMIT_MS = 4000;

describe('development registry, as discovery uses it', () => {
  let registry: DevelopmentRegistry;
  let port: number;

  beforeEach(async () => {
    registry = new DevelopmentRegistry();
    port = await registry.listen(0);
  });

  afterEach(() => registry.close());

  it('tells followers of an instance that comes, goes into maintenance and leaves', async () => {
    const transport = await transportTo(`127.0.0.1:${port}`, systemClock);
    const registration = registrationAt(transport, systemClock, { ttlMs: 3000 });
    const follower = await ResolverUnderTest.at(`127.0.0.1:${port}`, systemClock, {
      quarantine: { settleMs: 0, maxMs: 0 },
    });
    const followed = follower.follow('web');
    const health = () => newest(followed).map((it) => it.health);
    const reaches = (wanted: readonly string[]) =>
      until(
        () => health().join() === wanted.join(),
        LIMIT_MS,
        () => `expected ${wanted.join()}, got ${health().join()}`,
      );

    await registration.start();
    await reaches(['passing']);
    const [endpoint] = newest(followed);
    await registration.maintain('test');
    await reaches(['maintenance']);
    await registration.deregister();
    await reaches([]);
    await follower.close();
    transport.close();

    expect(endpoint).to.include({ address: '10.0.0.5', port: 15006, zone: 'eu-a', weight: 10 });
    expect(follower.log.lines.filter((it) => !it.startsWith('info'))).to.deep.equal([]);
  });

  it('hears of an instance again after it was restarted empty', async () => {
    const transport = await transportTo(`127.0.0.1:${port}`, systemClock);
    const registration = registrationAt(transport, systemClock, { ttlMs: 300 });
    await registration.start();
    await registry.close();

    registry = new DevelopmentRegistry();
    await registry.listen(port);

    const listed = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/v1/health/service/web`);
      return ((await response.json()) as unknown[]).length === 1;
    };
    await until(listed, LIMIT_MS, () => 'the instance did not come back');
    await registration.deregister();
    transport.close();
  });
});
