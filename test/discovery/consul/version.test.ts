import { expect } from 'chai';
import { ConsulClient } from '../../../discovery/consul/client.ts';
import type { ConsulTransport } from '../../../discovery/consul/transport.ts';
import { detectVersion, isAtLeast } from '../../../discovery/consul/version.ts';
import { transportTo } from '../../support/consul-parts.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeConsul } from '../../support/fake-consul.ts';

describe('version of consul', () => {
  let consul: FakeConsul;
  let transport: ConsulTransport;

  beforeEach(async () => {
    consul = await FakeConsul.start();
    transport = await transportTo(consul.address, new FakeClock());
  });

  afterEach(async () => {
    transport.close();
    await consul.down();
  });

  function detect(configured: string | null): Promise<readonly [number, number]> {
    return detectVersion(transport, new ConsulClient(transport), configured);
  }

  it('is what the agent says', async () => {
    consul.version = '1.21.3+ent';
    consul.serverVersions = ['1.16.0'];

    expect(await detect('1.10')).to.deep.equal([1, 21]);
  });

  it('is the lowest of the servers where the agent does not tell', async () => {
    consul.agentReadable = false;
    consul.serverVersions = ['1.21.0', '1.9.4', '1.16.1'];

    expect(await detect('1.10')).to.deep.equal([1, 9]);
  });

  it('is the configured one where neither tells', async () => {
    consul.agentReadable = false;
    consul.readable = false;

    expect(await detect('1.14')).to.deep.equal([1, 14]);
  });

  it('is the oldest we support where nobody knows', async () => {
    await consul.down();

    expect(await detect(null)).to.deep.equal([1, 8]);
  });

  it('compares numbers, not text', () => {
    expect(isAtLeast([1, 16], 1, 9)).to.equal(true);
    expect(isAtLeast([2, 0], 1, 16)).to.equal(true);
    expect(isAtLeast([1, 8], 1, 16)).to.equal(false);
  });
});
