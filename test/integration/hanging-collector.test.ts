import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { App } from '../support/app.ts';
import { call } from '../support/call.ts';
import { StaticCaller } from '../support/static-caller.ts';
import { until } from '../support/until.ts';

/** What spans get at the end, and half a second for the logs (`telemetry.md` §4), with room for a busy machine. */
const END_MS = 4500;

describe('a collector that takes spans and never answers', function () {
  this.timeout(20_000);
  let app: App;
  let collector: Server;
  let caller: StaticCaller | null;
  const sockets = new Set<Socket>();

  beforeEach(async () => {
    caller = null;
    app = await App.start('orders-1');
    collector = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.resume();
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  });

  afterEach(async () => {
    await caller?.dispose();
    await app.stop();
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    await new Promise((resolve) => collector.close(resolve));
  });

  for (const protocol of ['http/protobuf', 'grpc'] as const) {
    it(`does not keep the process from ending, over ${protocol} with the default time limits`, async () => {
      const { port } = collector.address() as AddressInfo;
      caller = await StaticCaller.start(
        [app.port],
        {},
        {
          trace: {
            exporter: 'otlp',
            sampler: 'always_on',
            otlp: { endpoint: `http://127.0.0.1:${port}`, protocol },
            batch: { delayMs: 50 },
          },
        },
      );
      expect((await call(caller.port, { path: '/' })).status).to.equal(200);
      await until(
        () => sockets.size > 0,
        8000,
        () => 'no span was sent',
      );
      let ended: number | null = null;
      void caller.sidecar.exited.then((code) => {
        ended = code;
      });
      caller.sidecar.signal('SIGTERM');

      await until(
        () => ended !== null,
        END_MS,
        () => 'the process is kept alive',
      );
      expect(ended).to.equal(0);
    });
  }
});
