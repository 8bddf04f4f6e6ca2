import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BatchSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { expect } from 'chai';
import { systemClock } from '../../telemetry/system-clock.ts';
import { createTelemetry, type Telemetry } from '../../telemetry/telemetry.ts';
import { FieldCarrier } from '../support/field-carrier.ts';
import { inboundOf, requestOf, traceOf } from '../support/request-record.ts';
import { type StartedTelemetry, startTelemetry } from '../support/started-telemetry.ts';
import { MemorySink, telemetryOptions } from '../support/telemetry-options.ts';
import { until } from '../support/until.ts';

const unsampledRoot = traceOf({ sampled: false, parentSpanId: '', spanId: '', reason: 'ratio' });

describe('telemetry', () => {
  const running: Telemetry[] = [];
  const servers: Server[] = [];

  async function start(...given: Parameters<typeof startTelemetry>): Promise<StartedTelemetry> {
    const started = await startTelemetry(...given);
    running.push(started.telemetry);
    return started;
  }

  afterEach(async () => {
    for (const telemetry of running.splice(0)) await telemetry.shutdown(100);
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  describe('of unsampled requests', () => {
    it('never calls the SDK, in 10,000 requests of every outcome', async () => {
      const { telemetry, accessLog, metric } = await start(
        { OTEL_TRACES_SAMPLER: 'parentbased_always_off', OTEL_TRACES_EXPORTER: 'console' },
        { accessLog: { filter: 'all' } },
      );
      const original = Reflect.get(BatchSpanProcessor.prototype, 'onEnd') as (
        this: BatchSpanProcessor,
        span: ReadableSpan,
      ) => void;
      let calls = 0;
      BatchSpanProcessor.prototype.onEnd = function (this: BatchSpanProcessor, span) {
        calls++;
        original.call(this, span);
      };

      try {
        for (let n = 0; n < 10_000; n++) {
          const carrier = new FieldCarrier();
          const trace = telemetry.propagation.begin(carrier, false);
          telemetry.propagation.inject(trace, '', carrier);
          telemetry.recorder.record(inboundOf({ trace, status: n % 2 === 0 ? 200 : 503 }));
        }
        expect(calls).to.equal(0);
        telemetry.recorder.record(inboundOf());
        expect(calls).to.equal(1);
      } finally {
        BatchSpanProcessor.prototype.onEnd = original;
      }
      await telemetry.shutdown(100);
      expect(accessLog.lines).to.have.length(10_001);
      expect(
        await metric('outrigger_trace_context_total{direction="inbound",present="false"}'),
      ).to.equal(10_000);
    });

    it('keeps failed ones whose root is ours, ten a second at most', async () => {
      const { telemetry } = await start({});
      for (let n = 0; n < 100; n++) {
        telemetry.recorder.record(inboundOf({ trace: unsampledRoot, status: 503 }));
        telemetry.recorder.record(inboundOf({ trace: unsampledRoot }));
      }
      const spans = telemetry.recentSpans(1000);

      expect(spans.length).to.be.within(10, 12);
      for (const span of spans) {
        expect(span.attributes['outrigger.sampling.reason']).to.equal('error');
      }
    });

    it('keeps slow ones on demand', async () => {
      const { telemetry } = await start({}, { trace: { keepErrors: false, keepSlowMs: 500 } });
      telemetry.recorder.record(inboundOf({ trace: unsampledRoot, status: 503 }));
      telemetry.recorder.record(inboundOf({ trace: unsampledRoot, endMs: 1500 }));

      expect(
        telemetry.recentSpans(9).map((span) => span.attributes['outrigger.sampling.reason']),
      ).to.deep.equal(['slow']);
    });

    it('keeps none whose root is elsewhere', async () => {
      const { telemetry } = await start({});
      telemetry.recorder.record(
        inboundOf({ trace: traceOf({ sampled: false, spanId: '' }), status: 503 }),
      );

      expect(telemetry.recentSpans(9)).to.deep.equal([]);
    });
  });

  it('keeps the last spans in memory, newest first', async () => {
    const { telemetry } = await start({}, { trace: { recent: 3 } });
    for (const id of ['1', '2', '3', '4', '5']) {
      telemetry.recorder.record(inboundOf({ trace: traceOf({ spanId: id.repeat(16) }) }));
    }

    expect(telemetry.recentSpans(2).map(({ spanId }) => spanId[0])).to.deep.equal(['5', '4']);
    expect(telemetry.recentSpans(9).map(({ spanId }) => spanId[0])).to.deep.equal(['5', '4', '3']);
    expect(telemetry.recentSpans(1)[0]).to.deep.include({
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      parentSpanId: '00f067aa0ba902b7',
      name: 'GET /orders/{id}',
      kind: 'SERVER',
      service: 'frontend',
      startMs: 1_700_000_000_000,
      durationMs: 10,
      error: false,
    });
  });

  it('counts sampled requests that end before it has started', async () => {
    const telemetry = createTelemetry(telemetryOptions(), {}, systemClock, {
      log: new MemorySink(),
      accessLog: new MemorySink(),
    });
    running.push(telemetry);
    telemetry.recorder.record(requestOf());

    expect(await telemetry.metricsText()).to.match(
      /outrigger_telemetry_dropped_total\{signal="spans",reason="not_started",[^}]*\} 1\n/,
    );
  });

  it('writes Prometheus text with units, suffixes, labels and the resource', async () => {
    const { telemetry } = await start({});
    telemetry.metrics
      .requestCells({
        direction: 'inbound',
        service: 'frontend',
        serverAddress: '',
        serverPort: 0,
        template: '/orders/{id}',
        scheme: 'http',
      })
      .record(inboundOf());
    telemetry.metrics.counter('outrigger_zone_bytes_total', 'orders', 'a', 'b').add(7);
    const text = await telemetry.metricsText();
    const scope = 'otel_scope_name="outrigger",otel_scope_version="1.2.3"';

    expect(text).to.contain('# TYPE http_server_request_duration_seconds histogram\n');
    expect(text).to.contain(
      'http_server_request_duration_seconds_bucket{http_request_method="GET",url_scheme="http",' +
        'http_response_status_code="200",http_route="/orders/{id}",network_protocol_version="1.1",' +
        `${scope},le="0.01"} 1\n`,
    );
    expect(text).to.match(/\nhttp_server_request_duration_seconds_sum\{[^ ]*\} 0\.01\n/);
    expect(text).to.contain(
      `outrigger_zone_bytes_total{service="orders",from="a",to="b",${scope}} 7\n`,
    );
    expect(text).to.contain('# TYPE outrigger_zone_bytes_total counter\n');
    expect(text).to.contain(`outrigger_build_info{version="1.2.3",${scope}} 1\n`);
    expect(text).to.match(/\nnodejs_eventloop_delay_p99_seconds\{[^}]*\} \d/);
    expect(text).to.match(/\nnodejs_eventloop_utilization_ratio\{[^}]*\} \d/);
    expect(text).to.match(/\nv8js_memory_heap_used_bytes\{[^}]*\} \d/);
    expect(text).to.match(/target_info\{[^}]*service_name="frontend"[^}]*\} 1\n/);
    expect(text).not.to.match(/_total_total|_seconds_seconds|_bytes_bytes/);
  });

  it('serves the metrics on a port of their own when that is configured', async () => {
    const { telemetry } = await start({ OTEL_EXPORTER_PROMETHEUS_PORT: '0' });
    const url = `http://localhost:${telemetry.metricsPort}`;
    const response = await fetch(`${url}/metrics`, { headers: { connection: 'close' } });

    expect(response.status).to.equal(200);
    expect(response.headers.get('content-type')).to.match(/^text\/plain; version=0\.0\.4/);
    expect(await response.text()).to.contain('outrigger_build_info');
    const other = await fetch(`${url}/other`, { headers: { connection: 'close' } });
    expect(other.status).to.equal(404);
  });

  it('answers on its loopback port only who calls it by a name of this machine', async () => {
    const { telemetry } = await start({ OTEL_EXPORTER_PROMETHEUS_PORT: '0' });
    const status = await new Promise((resolve, reject) => {
      const call = get(
        {
          host: 'localhost',
          port: telemetry.metricsPort,
          path: '/metrics',
          headers: { host: '127.rebound.example' },
          agent: false,
        },
        (response) => resolve(response.resume().statusCode),
      );
      call.on('error', reject);
    });

    expect(status).to.equal(403);
  });

  it('goes on without its metrics port when that is taken', async () => {
    const first = await start({ OTEL_EXPORTER_PROMETHEUS_PORT: '0' });
    const taken = String(first.telemetry.metricsPort);
    const second = await start({ OTEL_EXPORTER_PROMETHEUS_PORT: taken });

    expect(second.telemetry.metricsPort).to.equal(null);
    expect(second.log.text).to.contain('EADDRINUSE');
    second.telemetry.recorder.record(inboundOf());
    expect(second.telemetry.recentSpans(9)).to.have.length(1);
  });

  it('opens the default metrics port where it is free, and says so in one line where it is not', async () => {
    const other = createServer();
    servers.push(other);
    const free = await new Promise<boolean>((resolve) => {
      other.once('error', () => resolve(false));
      other.listen(9464, 'localhost', () => resolve(true));
    });
    const { telemetry, log } = await start({ OTEL_EXPORTER_PROMETHEUS_PORT: '' });

    expect(telemetry.metricsPort).to.equal(null);
    expect(log.lines).to.have.length(1);
    expect(JSON.parse(log.text)).to.include({ level: 30, port: 9464 });

    if (!free) return;
    await new Promise((resolve) => other.close(resolve));
    const next = await start({ OTEL_EXPORTER_PROMETHEUS_PORT: '' });
    expect(next.telemetry.metricsPort).to.equal(9464);
    expect(next.log.text).to.equal('');
  });

  it('says which variables it ignores, in the process log', async () => {
    const { log } = await start({ OTEL_TRACES_SAMPLER: 'sometimes' });

    const lines = log.lines.map((line) => JSON.parse(line) as { level: number; msg: string });
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include({ level: 40 });
    expect(lines[0]?.msg).to.match(/^OTEL_TRACES_SAMPLER: expected one of .*got "sometimes"$/);
  });

  it('is silent but for metrics on demand while the SDK is disabled', async () => {
    const { telemetry } = await start({
      OTEL_SDK_DISABLED: 'true',
      OTEL_EXPORTER_PROMETHEUS_PORT: '0',
    });
    const carrier = new FieldCarrier([['traceparent', '00-bad']]);
    const trace = telemetry.propagation.begin(carrier, false);
    telemetry.recorder.record(inboundOf({ trace, status: 503 }));

    expect(telemetry.metricsPort).to.equal(null);
    expect(telemetry.recentSpans(9)).to.deep.equal([]);
    expect(await telemetry.metricsText()).to.contain('outrigger_build_info');
  });

  it('prints spans as lines for the console exporter', async () => {
    const { telemetry, log } = await start({ OTEL_TRACES_EXPORTER: 'console' });
    telemetry.recorder.record(inboundOf());

    await until(
      () => log.text.includes('"name":"GET /orders/{id}"'),
      3000,
      () => log.text,
    );
  });

  it('follows the strategy of a Jaeger collector and keeps the last one while it is away', async () => {
    let strategy: object | null = {
      strategyType: 'PROBABILISTIC',
      probabilisticSampling: { samplingRate: 1 },
    };
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url);
      if (strategy === null) response.writeHead(503).end();
      else response.end(JSON.stringify(strategy));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const port = (server.address() as AddressInfo).port;
    const { telemetry, log } = await start({
      OTEL_TRACES_SAMPLER: 'jaeger_remote',
      OTEL_TRACES_SAMPLER_ARG: `endpoint=http://127.0.0.1:${port},pollingIntervalMs=100,initialSamplingRate=0`,
    });
    const sampled = (): boolean => telemetry.propagation.begin(new FieldCarrier(), false).sampled;

    await until(sampled, 3000, () => 'the probability did not arrive');
    expect(asked[0]).to.equal('/sampling?service=frontend');
    strategy = null;
    await until(
      () => log.text.includes('the last one stays'),
      3000,
      () => log.text,
    );
    expect(sampled()).to.equal(true);
    strategy = { strategyType: 'RATE_LIMITING', rateLimitingSampling: { maxTracesPerSecond: 2 } };
    await until(
      () => !sampled(),
      3000,
      () => 'the rate did not arrive',
    );
  });

  it('hands both logs over at shutdown', async () => {
    const { telemetry, log, accessLog } = await start({}, { accessLog: { filter: 'all' } });
    telemetry.recorder.record(inboundOf());
    await telemetry.shutdown(100);

    expect(accessLog.lines).to.have.length(1);
    expect([log.closed, accessLog.closed]).to.deep.equal([true, true]);
  });
});
