import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect } from 'chai';
import { freePorts } from '../../../sidecar/up/ports.ts';

describe('free ports', () => {
  it('are distinct and can be bound', async () => {
    const ports = await freePorts(8);

    expect(new Set(ports).size).to.equal(8);
    for (const port of ports) {
      const server = createServer().listen(port, '127.0.0.1');
      await once(server, 'listening');
      server.close();
    }
  });

  it('leave the fixed ports of the sidecar alone', async () => {
    for (const port of await freePorts(8)) expect(port).to.be.above(21_000).and.below(65_536);
  });
});
