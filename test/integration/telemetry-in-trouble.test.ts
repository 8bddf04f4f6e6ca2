import { createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { freePorts } from '../../sidecar/up/ports.ts';
import { App } from '../support/app.ts';
import { call } from '../support/call.ts';
import { failures, Load } from '../support/load.ts';
import { StaticCaller } from '../support/static-caller.ts';
import { until } from '../support/until.ts';

const PER_SECOND = 200;

/** How a collector can be of no use; null for a port where nothing listens. */
const collectors: Readonly<Record<string, ((socket: Socket) => void) | null>> = {
  'is not there': null,
  'takes everything and never answers': (socket) => void socket.resume(),
  'answers 500': (socket) =>
    void socket.on('data', () => {
      socket.write('HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n');
    }),
  'resets connections': (socket) => void socket.once('data', () => socket.resetAndDestroy()),
};

describe('telemetry in trouble', function () {
  this.timeout(15_000);
  let app: App;
  let caller: StaticCaller | null;
  let server: Server | null;

  beforeEach(async () => {
    app = await App.start('orders-1');
    caller = server = null;
  });

  afterEach(async () => {
    server?.close();
    await caller?.dispose();
    await app.stop();
  });

  /** Half a second of load, all answered; returns with the load over. */
  async function serves(made: StaticCaller): Promise<void> {
    const load = new Load(`http://127.0.0.1:${made.port}/`, PER_SECOND);
    await until(
      () => load.sent >= PER_SECOND / 2,
      8000,
      () => 'no load',
    );
    const result = await load.stop();
    expect(result.failed, failures(result)).to.have.length(0);
  }

  const dropped = async (made: StaticCaller, signal: string): Promise<number> => {
    const { body } = await made.sidecar.get('/metrics');
    const lines = body
      .split('\n')
      .filter(
        (line) => line.startsWith('outrigger_telemetry_dropped_total{') && line.includes(signal),
      );
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };

  for (const [what, handler] of Object.entries(collectors)) {
    it(`costs no request when the collector ${what}, is counted, and does not hold the end up`, async () => {
      const [port] = (await freePorts(1)) as [number];
      const collector = createServer((socket) => {
        socket.on('error', () => {});
        handler?.(socket);
      });
      server = collector;
      if (handler !== null)
        await new Promise<void>((done) => collector.listen(port, '127.0.0.1', done));
      const made = await StaticCaller.start(
        [app.port],
        {},
        {
          trace: {
            exporter: 'otlp',
            sampler: 'always_on',
            otlp: { endpoint: `http://127.0.0.1:${port}/v1/traces`, timeoutMs: 300 },
            batch: { delayMs: 50, timeoutMs: 400, maxQueueSize: 100, maxBatchSize: 50 },
          },
        },
      );
      caller = made;
      await serves(made);
      await until(
        async () => (await dropped(made, 'spans')) > 0,
        5000,
        () => 'no lost span is counted',
      );
      const startMs = performance.now();
      expect(await made.sidecar.terminate()).to.equal(0);
      expect(performance.now() - startMs).to.be.lessThan(4000);
    });
  }

  it('costs no request when nobody reads its output', async () => {
    const accessLog = { filter: 'all', rawPath: true };
    const made = await StaticCaller.start([app.port], {}, { accessLog });
    caller = made;
    made.sidecar.stopReading('pause');
    // Long lines fill the pipe, and what is kept behind it, soon.
    const path = `/${'x'.repeat(8000)}`;
    await until(
      async () => {
        const answers = await Promise.all(
          Array.from({ length: 50 }, () => call(made.port, { path })),
        );
        expect(answers.every(({ status }) => status === 200)).to.equal(true);
        return (await dropped(made, 'access_log')) > 0;
      },
      8000,
      () => 'no lost line is counted',
    );
    await serves(made);

    expect(await made.sidecar.terminate()).to.equal(0);
  });

  it('costs no request when its output is closed', async () => {
    const made = await StaticCaller.start([app.port], {}, { accessLog: { filter: 'all' } });
    caller = made;
    made.sidecar.stopReading('close');
    await serves(made);

    expect(await dropped(made, 'access_log')).to.be.greaterThan(0);
    expect(await made.sidecar.terminate()).to.equal(0);
  });

  it('costs no request when the disk of its access log is full', async function () {
    if (process.platform !== 'linux') {
      console.log('      skipped: /dev/full is Linux');
      return this.skip();
    }
    const made = await StaticCaller.start(
      [app.port],
      {},
      { accessLog: { filter: 'all', path: '/dev/full' } },
    );
    caller = made;
    await serves(made);
    await until(
      async () => (await dropped(made, 'access_log')) > 0,
      3000,
      () => 'no lost line is counted',
    );
    expect(await made.sidecar.terminate()).to.equal(0);
  });
});
