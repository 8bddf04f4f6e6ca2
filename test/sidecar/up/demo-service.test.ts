import { expect } from 'chai';
import { disturb } from '../../../sidecar/up/demo-control.ts';
import { DemoService, type DemoSettings } from '../../../sidecar/up/demo-service.ts';
import { freePorts } from '../../../sidecar/up/ports.ts';

describe('demo service', () => {
  const running: DemoService[] = [];

  afterEach(async () => {
    await Promise.all(running.splice(0).map((it) => it.close()));
  });

  async function start(fields: Partial<DemoSettings> & Pick<DemoSettings, 'service' | 'port'>) {
    const service = new DemoService({
      instance: `${fields.service}-1`,
      zone: 'zone-a',
      workMs: 0,
      upstreams: [],
      controlToken: 'secret',
      ...fields,
    });
    running.push(service);
    await service.listen();
  }

  function url(port: number, path: string): string {
    return `http://127.0.0.1:${port}${path}`;
  }

  it('answers with its name and with what its upstreams said', async () => {
    const [front, back] = (await freePorts(2)) as [number, number];
    await start({ service: 'stock', port: back });
    await start({ service: 'cart', port: front, upstreams: [{ service: 'stock', port: back }] });

    const response = await fetch(url(front, '/checkout'));

    expect(response.status).to.equal(200);
    expect(await response.json()).to.deep.equal({
      instance: 'cart-1',
      service: 'cart',
      zone: 'zone-a',
      path: '/checkout',
      calls: [
        {
          service: 'stock',
          status: 200,
          body: {
            instance: 'stock-1',
            service: 'stock',
            zone: 'zone-a',
            path: '/checkout',
            calls: [],
          },
        },
      ],
    });
  });

  it('passes the W3C trace context on, and nothing else', async () => {
    const [front, back] = (await freePorts(2)) as [number, number];
    const seen: Record<string, unknown>[] = [];
    const { createServer } = await import('node:http');
    const server = createServer((request, response) => {
      seen.push(request.headers);
      response.end('{}');
    });
    await new Promise<void>((resolve) => server.listen(back, '127.0.0.1', resolve));
    await start({ service: 'cart', port: front, upstreams: [{ service: 'stock', port: back }] });
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

    await fetch(url(front, '/'), {
      headers: { traceparent, tracestate: 'a=b', baggage: 'c=d', cookie: 'e=f' },
    });
    server.close();
    server.closeAllConnections();

    expect(seen[0]).to.include({ traceparent, tracestate: 'a=b', baggage: 'c=d' });
    expect(seen[0]).to.not.have.property('cookie');
  });

  it('answers 502 when an upstream cannot be reached', async () => {
    const [front, nobody] = (await freePorts(2)) as [number, number];
    await start({ service: 'cart', port: front, upstreams: [{ service: 'stock', port: nobody }] });

    expect((await fetch(url(front, '/'))).status).to.equal(502);
  });

  it('fails and recovers as it is told, while its health stays good', async () => {
    const [port] = (await freePorts(1)) as [number];
    await start({ service: 'stock', port });

    const taken = await disturb(port, 'secret', { latencyMs: 0, errorRate: 1 });
    const failing = await fetch(url(port, '/'));
    const health = await fetch(url(port, '/health'));
    await disturb(port, 'secret', { latencyMs: 0, errorRate: 0 });
    const recovered = await fetch(url(port, '/'));

    expect(taken).to.equal(true);
    expect([failing.status, health.status, recovered.status]).to.deep.equal([503, 200, 200]);
  });

  it('takes no orders without the token, and no nonsense with it', async () => {
    const [port] = (await freePorts(1)) as [number];
    await start({ service: 'stock', port });

    expect(await disturb(port, 'guess', { latencyMs: 0, errorRate: 1 })).to.equal(false);
    expect(await disturb(port, 'secret', { latencyMs: -1, errorRate: 0 })).to.equal(false);
    expect(await disturb(port, 'secret', { latencyMs: 0, errorRate: 2 })).to.equal(false);
    expect((await fetch(url(port, '/'))).status).to.equal(200);
  });
});
