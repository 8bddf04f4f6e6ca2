import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { type ConsulAgent, startConsul } from '../support/consul-agent.ts';
import { type Jaeger, startJaeger } from '../support/jaeger.ts';
import { OtlpReceiver } from '../support/otlp-receiver.ts';
import { TestMesh } from '../support/test-mesh.ts';

/** One span, wherever it was read. */
interface Seen {
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly service: string;
  readonly kind: string;
  readonly attributes: ReadonlyMap<string, unknown>;
}

const HOPS = [
  { from: 'caller', to: 'shop' },
  { from: 'shop', to: 'cart' },
  { from: 'cart', to: 'stock' },
] as const;

describe('a trace over three hops', function () {
  this.timeout(60_000);
  let consul: ConsulAgent | null = null;
  let mesh: TestMesh | null = null;
  let receiver: OtlpReceiver | null = null;
  let jaeger: Jaeger | null = null;

  afterEach(async () => {
    await mesh?.dispose();
    await consul?.stop();
    await receiver?.close();
    await jaeger?.stop();
    consul = mesh = receiver = jaeger = null;
  });

  for (const protocol of ['http/protobuf', 'grpc'] as const) {
    it(`is one trace with the right parents at an OTLP receiver, over ${protocol}`, async function () {
      consul = await startConsul();
      if (consul === null) return this.skip();
      const collector = await OtlpReceiver.start(protocol);
      receiver = collector;
      const url = await start(consul, {
        endpoint: protocol === 'grpc' ? collector.url : `${collector.url}/v1/traces`,
        protocol,
      });
      const traceId = randomBytes(16).toString('hex');
      await call(url, traceId);
      const ours = (): OtlpReceiver['spans'] =>
        collector.spans.filter((span) => span.traceId === traceId);
      await collector.until(() => ours().length >= 6, 20_000);

      expectHops(
        ours().map((span) => ({
          spanId: span.spanId,
          parentSpanId: span.parentSpanId,
          service: String(span.resource['service.name']),
          kind: span.kind,
          attributes: new Map(Object.entries(span.attributes)),
        })),
      );
    });
  }

  it('is one trace with the right parents in Jaeger', async function () {
    jaeger = await startJaeger();
    if (jaeger === null) {
      console.log('      skipped: no Jaeger on PATH or in .tools/');
      return this.skip();
    }
    consul = await startConsul();
    if (consul === null) return this.skip();
    const url = await start(consul, {
      endpoint: `${jaeger.otlpHttpEndpoint}/v1/traces`,
      protocol: 'http/protobuf',
    });
    const traceId = randomBytes(16).toString('hex');
    await call(url, traceId);
    const spans = await jaeger.spans(traceId, 6);

    expectHops(
      spans.map(({ spanId, parentSpanId, service, tags }) => ({
        spanId,
        parentSpanId,
        service,
        kind: String(tags.get('span.kind')).toUpperCase(),
        attributes: tags,
      })),
    );
  });

  async function start(
    agent: ConsulAgent,
    otlp: { endpoint: string; protocol: string },
  ): Promise<string> {
    const made = new TestMesh(agent);
    mesh = made;
    const traced = { trace: { exporter: 'otlp', otlp, batch: { delayMs: 50 } } };
    await made.instance('stock', 'stock-1', null, traced);
    await made.instance('cart', 'cart-1', 'stock', traced);
    await made.instance('shop', 'shop-1', 'cart', traced);
    const { url } = await made.caller('shop', traced);
    return url;
  }
});

/** One call under a sampled parent of our own; early ones are held until the registry lists everybody. */
async function call(url: string, traceId: string): Promise<void> {
  const response = await fetch(`${url}things?id=1`, {
    headers: { traceparent: `00-${traceId}-00000000000000aa-01` },
  });
  expect(await response.text()).to.equal('ok\n');
  expect(response.status).to.equal(200);
}

function expectHops(spans: readonly Seen[]): void {
  expect(spans.map(({ service, kind }) => `${service} ${kind}`)).to.have.members(
    HOPS.flatMap(({ from, to }) => [`${from} CLIENT`, `${to} SERVER`]),
  );
  let parent = '00000000000000aa';
  for (const { from, to } of HOPS) {
    const client = find(spans, from, 'CLIENT');
    const server = find(spans, to, 'SERVER');
    expect(client.parentSpanId || parent, `parent of ${from}'s call`).to.equal(parent);
    expect(server.parentSpanId, `parent of ${to}'s answer`).to.equal(client.spanId);
    expect(client.attributes.get('http.request.method')).to.equal('GET');
    expect(client.attributes.get('http.response.status_code')).to.equal(200);
    expect(client.attributes.get('server.address')).to.equal(to);
    expect(client.attributes.get('outrigger.lb.policy')).to.equal('least_request');
    expect(client.attributes.get('outrigger.lb.reason')).to.equal('only_endpoint');
    expect(server.attributes.get('url.path')).to.equal('/things');
    expect(server.attributes.get('url.query')).to.equal('id=1');
    expect(server.attributes.get('http.response.status_code')).to.equal(200);
    expect(server.attributes.get('network.protocol.version')).to.equal('1.1');
    parent = server.spanId;
  }
}

function find(spans: readonly Seen[], service: string, kind: string): Seen {
  const span = spans.find((candidate) => candidate.service === service && candidate.kind === kind);
  if (span === undefined) throw new Error(`no ${kind} span of ${service}`);
  return span;
}
