import { expect } from 'chai';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { OtlpReceiver, type ReceiverBehaviour } from '../support/otlp-receiver.ts';
import { attemptOf, inboundOf, requestOf, traceOf } from '../support/request-record.ts';
import { type StartedTelemetry, startTelemetry } from '../support/started-telemetry.ts';
import { until } from '../support/until.ts';

const DROPPED = 'outrigger_telemetry_dropped_total';

describe('OTLP export', () => {
  let receiver: OtlpReceiver;
  let running: Telemetry | null = null;

  async function start(
    environment: Record<string, string>,
    over: Parameters<typeof startTelemetry>[1] = {},
  ): Promise<StartedTelemetry> {
    const started = await startTelemetry(
      { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...environment },
      over,
    );
    running = started.telemetry;
    return started;
  }

  afterEach(async () => {
    await running?.shutdown(100);
    running = null;
    await receiver.close();
  });

  for (const protocol of ['http/protobuf', 'grpc'] as const) {
    describe(`over ${protocol}`, () => {
      beforeEach(async () => {
        receiver = await OtlpReceiver.start(protocol);
      });

      it('delivers the spans of a retried request with ids, times, resource and scope', async () => {
        const { telemetry } = await start({
          OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
          OTEL_EXPORTER_OTLP_HEADERS: 'x-token=abc',
          OTEL_RESOURCE_ATTRIBUTES: 'team=core',
        });
        const attempts = [
          attemptOf({ status: 0, code: 'connection_refused' }),
          attemptOf({ spanId: 'b000000000000002', retryReason: 'connection_refused' }),
        ];
        telemetry.recorder.record(requestOf({ attempts }));
        telemetry.recorder.record(inboundOf());
        await receiver.until(({ spans }) => spans.length === 4);

        const [internal, first, second, server] = receiver.spans;
        expect(internal).to.deep.include({
          name: 'outbound orders',
          kind: 'INTERNAL',
          traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
          spanId: 'aaaaaaaaaaaaaaaa',
          parentSpanId: '00f067aa0ba902b7',
          startNanos: 1_700_000_000_000_000_000n,
          endNanos: 1_700_000_000_010_000_000n,
          status: { code: 'UNSET', message: '' },
          scope: 'outrigger',
        });
        expect(internal?.resource).to.include({
          'service.name': 'frontend',
          'service.instance.id': 'frontend-1',
          'cloud.availability_zone': 'a',
          'cloud.region': 'eu',
          'telemetry.sdk.language': 'nodejs',
          team: 'core',
        });
        expect(first?.parentSpanId).to.equal('aaaaaaaaaaaaaaaa');
        expect(first?.status.code).to.equal('ERROR');
        expect(second).to.include({ kind: 'CLIENT', spanId: 'b000000000000002', name: 'GET' });
        expect(second?.attributes).to.include({
          'http.request.resend_count': 1,
          'http.response.status_code': 200,
          'outrigger.connection.reused': true,
          'url.full': 'http://orders/orders/17?page=2',
        });
        expect(server).to.include({ kind: 'SERVER', name: 'GET /orders/{id}' });
        expect(receiver.headers[0]).to.include({ 'x-token': 'abc' });
      });

      it('delivers metrics under their OpenTelemetry names, as differences when asked to', async () => {
        const { telemetry } = await start({
          OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
          OTEL_METRICS_EXPORTER: 'otlp',
          OTEL_METRIC_EXPORT_INTERVAL: '20',
          OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
        });
        const cells = telemetry.metrics.requestCells({
          direction: 'outbound',
          service: 'orders',
          serverAddress: 'orders',
          serverPort: 80,
          template: null,
          scheme: 'http',
        });
        const durations = () =>
          receiver.points.filter(({ name }) => name === 'http.client.request.duration');
        const total = () => durations().reduce((sum, { count }) => sum + count, 0);
        cells.record(requestOf());
        await receiver.until(() => total() === 1);
        cells.record(requestOf());
        cells.record(requestOf());
        const exports = receiver.requests;
        await receiver.until(() => total() >= 3 && receiver.requests > exports + 3);

        expect(total()).to.equal(3);
        expect(durations()[0]).to.deep.include({ kind: 'histogram', delta: true, unit: 's' });
        expect(durations()[0]?.attributes).to.deep.equal({
          'http.request.method': 'GET',
          'http.response.status_code': 200,
          'server.address': 'orders',
          'server.port': 80,
          'network.protocol.version': '1.1',
        });
        const build = receiver.points.find(({ name }) => name === 'outrigger_build_info');
        expect(build).to.include({ kind: 'gauge', value: 1 });
      });
    });
  }

  it('compresses on demand', async () => {
    receiver = await OtlpReceiver.start();
    const { telemetry } = await start({ OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' });
    telemetry.recorder.record(inboundOf());
    await receiver.until(({ spans }) => spans.length === 1);

    expect(receiver.headers[0]).to.include({ 'content-encoding': 'gzip' });
  });

  it('hands over what waits at shutdown', async () => {
    receiver = await OtlpReceiver.start();
    const { telemetry } = await start({ OTEL_BSP_SCHEDULE_DELAY: '60000' });
    telemetry.recorder.record(inboundOf());
    await telemetry.shutdown();
    running = null;

    expect(receiver.spans).to.have.length(1);
  });

  const troubles: Record<string, ReceiverBehaviour | 'down'> = {
    'is down': 'down',
    hangs: 'hang',
    'answers 500': 500,
    'resets connections': 'reset',
  };
  for (const [what, trouble] of Object.entries(troubles)) {
    describe(`to a collector that ${what}`, () => {
      beforeEach(async () => {
        receiver = await OtlpReceiver.start();
        if (trouble === 'down') await receiver.close();
        else receiver.behaviour = trouble;
      });

      it('never throws and counts every span it loses', async () => {
        const { telemetry, metric, log } = await start(
          { OTEL_EXPORTER_OTLP_TIMEOUT: '150' },
          { trace: { batch: { delayMs: 5, timeoutMs: 200, maxQueueSize: 100, maxBatchSize: 50 } } },
        );
        const sent = 1000;
        for (let n = 0; n < sent; n++) telemetry.recorder.record(inboundOf());
        const lost = async () =>
          (await metric(`${DROPPED}{signal="spans",reason="queue_full"}`)) +
          (await metric(`${DROPPED}{signal="spans",reason="export_failed"}`));
        await until(
          async () => (await lost()) === sent,
          4000,
          () => 'not every span was counted as lost',
        );

        expect(await metric(`${DROPPED}{signal="spans",reason="queue_full"}`)).to.be.above(800);
        expect(log.text.split('spans cannot be exported')).to.have.length(2);
        expect(telemetry.recentSpans(1000)).to.have.length(100);
      });
    });
  }

  it('does not wait at shutdown for a collector that hangs', async () => {
    receiver = await OtlpReceiver.start();
    receiver.behaviour = 'hang';
    const { telemetry, metric } = await start({ OTEL_EXPORTER_OTLP_TIMEOUT: '1000' });
    telemetry.recorder.record(inboundOf());
    await receiver.until(({ requests }) => requests === 1);
    await telemetry.shutdown(50);
    running = null;

    // The export is still under way: it has neither succeeded nor been given up.
    expect(await metric(`${DROPPED}{signal="spans",reason="export_failed"}`)).to.equal(0);
    expect(receiver.spans).to.have.length(0);
  });

  it('says when a collector is back', async () => {
    receiver = await OtlpReceiver.start();
    receiver.behaviour = 400;
    const { telemetry, log } = await start({});
    telemetry.recorder.record(inboundOf());
    await until(
      () => log.text.includes('spans cannot be exported'),
      3000,
      () => log.text,
    );
    receiver.behaviour = 'accept';
    telemetry.recorder.record(inboundOf());
    await receiver.until(({ spans }) => spans.length === 1);

    await until(
      () => log.text.includes('spans are exported again'),
      3000,
      () => log.text,
    );
  });

  it('sends nothing for requests that are not sampled', async () => {
    receiver = await OtlpReceiver.start();
    const { telemetry } = await start({});
    telemetry.recorder.record(
      inboundOf({ trace: traceOf({ sampled: false, spanId: '' }), status: 503 }),
    );
    telemetry.recorder.record(inboundOf({ path: '/sentinel' }));
    await receiver.until(({ spans }) => spans.length > 0);

    expect(receiver.spans.map((span) => span.attributes['url.path'])).to.deep.equal(['/sentinel']);
  });
});
