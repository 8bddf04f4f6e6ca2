import { expect } from 'chai';
import { Attachment } from '../../discovery/consul/attach.ts';
import { ConsulClient } from '../../discovery/consul/client.ts';
import type { ConsulTransport } from '../../discovery/consul/transport.ts';
import { systemClock } from '../../telemetry/system-clock.ts';
import { type ConsulAgent, startConsul } from '../support/consul-agent.ts';
import { newest, ResolverUnderTest, transportTo } from '../support/consul-parts.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { until } from '../support/until.ts';

const LIMIT_MS = 10_000;

describe('attachment to an instance that its owner registered in a real consul', function () {
  this.timeout(60_000);
  let consul: ConsulAgent;
  let transport: ConsulTransport;
  let callers: ResolverUnderTest;

  before(async function () {
    const started = await startConsul();
    if (started === null) return this.skip();
    consul = started;
  });

  after(() => consul?.stop());

  beforeEach(async () => {
    transport = await transportTo(consul.address, systemClock);
    callers = await ResolverUnderTest.at(consul.address, systemClock);
    await transport.request({
      method: 'PUT',
      path: '/v1/agent/service/register',
      query: { 'replace-existing-checks': 'true' },
      body: { ID: 'owned-1', Name: 'owned', Address: '10.0.0.7', Port: 8080 },
      timeoutMs: 5_000,
    });
  });

  afterEach(async () => {
    await callers.close();
    transport.close();
  });

  function attach(): Attachment {
    const client = new ConsulClient(transport);
    return new Attachment({ id: 'owned-1', client, clock: systemClock, log: new RecordingLog() });
  }

  async function seenAs(health: string): Promise<void> {
    const seen = callers.follow('owned');
    await until(
      () => newest(seen)[0]?.health === health,
      LIMIT_MS,
      () => `expected ${health}, saw ${JSON.stringify(newest(seen))}`,
    );
    seen.stop();
  }

  it('leaves by maintenance and removes nothing; the next start lifts that', async () => {
    const first = attach();
    expect(await first.start()).to.equal(true);
    expect(await first.maintain('draining')).to.equal(true);
    await seenAs('maintenance');
    expect(await first.deregister()).to.equal(true);
    await seenAs('maintenance');

    expect(await attach().start()).to.equal(true);
    await seenAs('passing');
  });

  it('does not lift the maintenance of an operator', async () => {
    await new ConsulClient(transport).maintenance('owned-1', true, 'disk full');
    await attach().start();

    await seenAs('maintenance');
  });

  it('says that it cannot leave when consul is gone, and does not hang', async () => {
    const attachment = attach();
    await attachment.start();
    await consul.kill();

    expect(await attachment.maintain('draining')).to.equal(false);
    expect(await attachment.deregister()).to.equal(true);

    await consul.restart();
  });
});
