import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { callDueMs, callsDue, LatencyBuckets, Traffic } from '../../../sidecar/up/traffic.ts';

describe('latency buckets', () => {
  it('place a quantile within 5 % of the exact one', () => {
    const buckets = new LatencyBuckets();
    for (let ms = 1; ms <= 1000; ms++) buckets.add(ms);

    expect(buckets.quantile(0.5)).to.be.within(500, 525);
    expect(buckets.quantile(0.99)).to.be.within(990, 1040);
    expect(buckets.quantile(1)).to.equal(1000);
  });

  it('know nothing before the first value', () => {
    expect(new LatencyBuckets().quantile(0.99)).to.equal(null);
  });

  it('take values beyond both ends', () => {
    const buckets = new LatencyBuckets();
    buckets.add(0);
    buckets.add(1e9);

    expect(buckets.quantile(0.1)).to.be.at.most(0.1);
    expect(buckets.quantile(1)).to.be.at.most(1e9);
  });
});

describe('schedule of the traffic', () => {
  it('sends a call when it is due, neither a period early nor late', () => {
    for (const rate of [1, 40, 1000]) {
      for (let index = 0; index < 100; index++) {
        const dueMs = callDueMs(index, rate);
        expect(callsDue(dueMs + 0.001, rate)).to.equal(index + 1);
        if (index > 0) expect(callsDue(dueMs - 0.001, rate)).to.equal(index);
      }
    }
  });
});

describe('steady traffic', () => {
  let server: Server;

  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  async function serve(listener: RequestListener): Promise<number> {
    server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  /** Runs until the server has seen so many requests. */
  async function run(count: number, listener: RequestListener): Promise<Traffic> {
    let seen = 0;
    let enough = () => {};
    const reached = new Promise<void>((resolve) => {
      enough = resolve;
    });
    const port = await serve((request, response) => {
      listener(request, response);
      if (++seen === count) enough();
    });
    const traffic = new Traffic(port, 200);
    traffic.start();
    await reached;
    await traffic.stop();
    return traffic;
  }

  it('counts what succeeded, once every call has ended', async () => {
    const traffic = await run(10, (_, response) => response.end('{}'));

    const totals = traffic.totals();
    expect(totals.succeeded).to.equal(totals.sent);
    expect(totals.sent).to.be.at.least(10);
    expect(totals.failures.size).to.equal(0);
    expect(totals.p99Ms).to.be.a('number');
  });

  it('counts failures by status and code of the mesh', async () => {
    const traffic = await run(5, (_, response) => {
      response.writeHead(503, { 'outrigger-error': 'overflow' }).end();
    });

    const totals = traffic.totals();
    expect(totals.succeeded).to.equal(0);
    expect([...totals.failures]).to.deep.equal([['HTTP 503 overflow', totals.sent]]);
  });

  it('counts broken connections and broken responses as failures', async () => {
    const traffic = await run(6, (request, response) => {
      if (request.url === '/') response.destroy();
      else response.writeHead(200, { 'content-length': 10 }).write('x', () => response.destroy());
    });

    const totals = traffic.totals();
    expect(totals.succeeded).to.equal(0);
    const failed = [...totals.failures.values()].reduce((sum, it) => sum + it, 0);
    expect(failed).to.equal(totals.sent);
  });

  it('goes on sending while earlier calls are unanswered', async () => {
    const waiting: (() => void)[] = [];
    const traffic = await run(4, (_, response) => {
      waiting.push(() => response.end('{}'));
      if (waiting.length >= 4) for (const answer of waiting.splice(0)) answer();
    });

    expect(traffic.totals().sent).to.be.at.least(4);
  });
});
