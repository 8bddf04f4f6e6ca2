import { expect } from 'chai';
import type { FamilyName } from '../../telemetry/families.ts';
import { MethodNames } from '../../telemetry/method-names.ts';
import { Metrics, type MetricsOptions } from '../../telemetry/metrics.ts';
import type { RequestCells, RequestCellsOptions } from '../../telemetry/request-cells.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { attemptOf, inboundOf, requestOf } from '../support/request-record.ts';

function registry(over: Partial<MetricsOptions> = {}): { metrics: Metrics; clock: FakeClock } {
  const clock = new FakeClock();
  const options = { maxSeries: 2000, idleSeriesMs: 900_000, ...over };
  return { metrics: new Metrics(clock, new MethodNames(), options), clock };
}

function cellsOf(metrics: Metrics, over: Partial<RequestCellsOptions> = {}): RequestCells {
  return metrics.requestCells({
    direction: 'outbound',
    service: 'orders',
    serverAddress: 'orders',
    serverPort: 80,
    template: null,
    scheme: 'http',
    ...over,
  });
}

/** Series of a family as `label=value,…` → count or value. */
function read(metrics: Metrics, name: FamilyName): Record<string, number> {
  const series: Record<string, number> = {};
  for (const entry of metrics.collect()) {
    if (entry.name !== name) continue;
    for (const { attributes, cell } of entry.family.series()) {
      const labels = Object.entries(attributes).map(([label, value]) => `${label}=${value}`);
      series[labels.join(',')] = 'count' in cell ? cell.count : cell.value;
    }
  }
  return series;
}

describe('metric registry', () => {
  it('gives the same cell for the same labels and counts in it', () => {
    const { metrics } = registry();
    const one = metrics.counter('outrigger_overflow_total', 'orders', 'requests');
    const two = metrics.counter('outrigger_overflow_total', 'orders', 'requests');
    one.add();
    two.add(2);

    expect(read(metrics, 'outrigger_overflow_total')).to.deep.equal({
      'service=orders,limit=requests': 3,
    });
  });

  it('asks for observed values at collection only, until told to stop', () => {
    const { metrics } = registry();
    let asked = 0;
    const stop = metrics.observe('outrigger_queue_depth', (report) => report(['orders'], ++asked));

    expect(read(metrics, 'outrigger_queue_depth')).to.deep.equal({ 'service=orders': 1 });
    expect(read(metrics, 'outrigger_queue_depth')).to.deep.equal({ 'service=orders': 2 });
    stop();
    expect(read(metrics, 'outrigger_queue_depth')).to.deep.equal({});
  });

  it('keeps the start of an observed counter and forgets what is not reported any more', () => {
    const { metrics, clock } = registry();
    const services = ['orders', 'stock'];
    let total = 5;
    metrics.observe('outrigger_overflow_total', (report) => {
      for (const service of services) report([service, 'requests'], total);
      report(['orders', 'requests'], 1);
    });
    const starts = (): number[] =>
      metrics
        .collect()
        .filter(({ name }) => name === 'outrigger_overflow_total')
        .flatMap(({ family }) => [...family.series()].map(({ startWallMs }) => startWallMs));
    const first = starts();
    clock.advance(1000);
    total = 7;

    expect(starts()).to.deep.equal(first);
    expect(read(metrics, 'outrigger_overflow_total')).to.deep.equal({
      'service=orders,limit=requests': 8,
      'service=stock,limit=requests': 7,
    });
    services.pop();
    expect(read(metrics, 'outrigger_overflow_total')).to.deep.equal({
      'service=orders,limit=requests': 8,
    });
  });

  it('counts what is beyond the cap in one overflow series, so that the total stays right', () => {
    const { metrics } = registry({ maxSeries: 10 });
    for (let n = 0; n < 1000; n++) {
      metrics.counter('outrigger_errors_total', 'orders', 'outbound', `code${n}`).add();
    }

    const series = read(metrics, 'outrigger_errors_total');
    expect(Object.keys(series)).to.have.length(11);
    expect(series['otel.metric.overflow=true']).to.equal(990);
    expect(Object.values(series).reduce((sum, value) => sum + value)).to.equal(1000);
  });

  it('names what matches no route, and leaves out what could not be read', () => {
    const { metrics } = registry();
    const cells = cellsOf(metrics, { service: '', serverAddress: '', serverPort: 0 });
    const unread = { method: '', version: '', service: '', status: 400, attempts: [] };
    cells.begin('');
    cells.record(requestOf({ ...unread, code: 'downstream_protocol_error' }));

    expect(read(metrics, 'outrigger_errors_total')).to.deep.equal({
      'service=_unrouted,direction=outbound,code=downstream_protocol_error': 1,
    });
    expect(read(metrics, 'http.client.active_requests')).to.deep.equal({
      'server.address=_unrouted': 0,
    });
    expect(Object.keys(read(metrics, 'http.client.request.duration'))).to.deep.equal([
      'http.request.method=_OTHER,server.address=_unrouted,error.type=downstream_protocol_error',
    ]);
  });

  it('reports the number of series of each family', () => {
    const { metrics } = registry();
    metrics.counter('outrigger_bugs_total');
    cellsOf(metrics).record(requestOf());

    expect(read(metrics, 'outrigger_metric_series')).to.include({
      'family=outrigger_bugs_total': 1,
      'family=http.client.request.duration': 1,
    });
  });

  it('drops series that nobody holds after fifteen idle minutes and counts anew in fresh ones', () => {
    const { metrics, clock } = registry();
    const cells = cellsOf(metrics);
    metrics.counter('outrigger_bugs_total');
    cells.record(requestOf());
    const minutes = (count: number): void => {
      for (let minute = 0; minute < count; minute++) {
        clock.advance(60_000);
        metrics.collect();
      }
    };

    minutes(15);
    expect(Object.keys(read(metrics, 'http.client.request.duration'))).to.have.length(1);
    minutes(1);
    expect(read(metrics, 'http.client.request.duration')).to.deep.equal({});
    expect(read(metrics, 'outrigger_lb_picks_total')).to.deep.equal({});
    expect(read(metrics, 'outrigger_bugs_total')).to.deep.equal({ '': 0 });

    cells.record(requestOf());
    cells.record(requestOf());
    expect(Object.values(read(metrics, 'http.client.request.duration'))).to.deep.equal([2]);
    expect(read(metrics, 'outrigger_lb_picks_total')).to.deep.equal({
      'service=orders,reason=zone_local': 2,
    });
  });

  it('drops the series of a service that is gone, and no others', () => {
    const { metrics } = registry();
    cellsOf(metrics).record(requestOf());
    cellsOf(metrics, { service: 'stock', serverAddress: 'stock' }).record(
      requestOf({ service: 'stock' }),
    );
    metrics.counter('outrigger_overflow_total', 'orders', 'requests');

    metrics.removeService('orders');

    expect(Object.keys(read(metrics, 'http.client.request.duration'))).to.have.length(1);
    expect(read(metrics, 'outrigger_overflow_total')).to.deep.equal({});
    expect(read(metrics, 'outrigger_lb_picks_total')).to.deep.equal({
      'service=stock,reason=zone_local': 1,
    });
  });
});

describe('cells of a route', () => {
  it('count an inbound request with the labels of the semantic conventions', () => {
    const { metrics } = registry();
    const cells = cellsOf(metrics, { direction: 'inbound', template: '/orders/{id}' });
    cells.record(inboundOf());
    cells.record(inboundOf({ status: 404 }));
    cells.record(inboundOf({ status: 503 }));
    cells.record(inboundOf({ status: 503, code: 'app_unreachable' }));
    cells.record(inboundOf({ status: 499, code: 'downstream_closed' }));
    const common = 'http.request.method=GET,url.scheme=http,http.response.status_code';
    const rest = 'http.route=/orders/{id},network.protocol.version=1.1';

    expect(read(metrics, 'http.server.request.duration')).to.deep.equal({
      [`${common}=200,${rest}`]: 1,
      [`${common}=404,${rest}`]: 1,
      [`${common}=503,${rest},error.type=503`]: 1,
      [`${common}=503,${rest},error.type=app_unreachable`]: 1,
      [`${common}=499,${rest}`]: 1,
    });
    expect(read(metrics, 'outrigger_errors_total')).to.deep.equal({
      'service=orders,direction=inbound,code=app_unreachable': 1,
      'service=orders,direction=inbound,code=downstream_closed': 1,
    });
  });

  it('count every attempt of an outbound request, and the request once', () => {
    const { metrics } = registry();
    cellsOf(metrics).record(
      requestOf({
        bytesIn: 100,
        bytesOut: 900,
        attempts: [
          attemptOf({ status: 0, code: 'connection_refused' }),
          attemptOf({
            status: 503,
            retryReason: 'connection_refused',
            zone: 'b',
            lbReason: 'zone_spill',
          }),
          attemptOf({ retryReason: '503', zone: 'b', lbReason: 'zone_spill' }),
        ],
      }),
    );
    const server = 'server.address=orders,server.port=80,network.protocol.version=1.1';

    expect(read(metrics, 'http.client.request.duration')).to.deep.equal({
      [`http.request.method=GET,${server},error.type=connection_refused`]: 1,
      [`http.request.method=GET,http.response.status_code=503,${server},error.type=503`]: 1,
      [`http.request.method=GET,http.response.status_code=200,${server}`]: 1,
    });
    expect(read(metrics, 'outrigger_request_duration_seconds')).to.deep.equal({
      'service=orders,outcome=ok': 1,
    });
    expect(read(metrics, 'outrigger_retries_total')).to.deep.equal({
      'service=orders,reason=connection_refused,outcome=failed': 1,
      'service=orders,reason=503,outcome=ok': 1,
    });
    expect(read(metrics, 'outrigger_lb_picks_total')).to.deep.equal({
      'service=orders,reason=zone_local': 1,
      'service=orders,reason=zone_spill': 2,
    });
    expect(read(metrics, 'outrigger_zone_requests_total')).to.deep.equal({
      'service=orders,from=a,to=a,reason=zone_local': 1,
      'service=orders,from=a,to=b,reason=zone_spill': 2,
    });
    expect(read(metrics, 'outrigger_zone_bytes_total')).to.include({
      'service=orders,from=a,to=b': 1000,
    });
  });

  it('count a request that was never sent, and why no attempt followed one that failed', () => {
    const { metrics } = registry();
    const cells = cellsOf(metrics);
    cells.record(requestOf({ attempts: [], status: 503, code: 'no_healthy_upstream' }));
    cells.record(
      requestOf({ status: 503, attempts: [attemptOf({ status: 503, retryDenied: 'budget' })] }),
    );

    const client = read(metrics, 'http.client.request.duration');
    expect(Object.values(client).reduce((sum, value) => sum + value)).to.equal(2);
    expect(read(metrics, 'outrigger_request_duration_seconds')).to.deep.equal({
      'service=orders,outcome=error': 2,
    });
    expect(read(metrics, 'outrigger_retries_total')).to.deep.equal({
      'service=orders,reason=budget,outcome=denied': 1,
    });
  });

  it('know how many requests are active, and never fewer than none', () => {
    const { metrics } = registry();
    const cells = cellsOf(metrics);
    cells.begin('GET');
    cells.begin('GET');
    cells.record(requestOf());
    const active = (): number[] => Object.values(read(metrics, 'http.client.active_requests'));

    expect(active()).to.deep.equal([1]);
    cells.record(requestOf());
    cells.record(requestOf());
    expect(active()).to.deep.equal([0]);
  });

  it('count declines without any attempt', () => {
    const { metrics } = registry();
    cellsOf(metrics).declined();

    expect(read(metrics, 'outrigger_lb_declines_total')).to.deep.equal({
      'service=orders,direction=outbound': 1,
    });
    expect(read(metrics, 'http.client.request.duration')).to.deep.equal({});
  });

  it('stay within the caps for 10,000 methods, paths and hosts, and the totals match', () => {
    const { metrics } = registry({ maxSeries: 50 });
    const inbound = cellsOf(metrics, { direction: 'inbound' });
    const outbound = cellsOf(metrics);
    for (let n = 0; n < 10_000; n++) {
      const hostile = { method: `M${n}`, path: `/p${n}`, authority: `h${n}`, userAgent: `u${n}` };
      const status = 100 + (n % 500);
      inbound.record(inboundOf({ ...hostile, status, version: `${n}` }));
      outbound.record(
        requestOf({ ...hostile, status, attempts: [attemptOf({ status, zone: `z${n}` })] }),
      );
    }

    for (const entry of metrics.collect()) {
      expect([...entry.family.series()].length, entry.name).to.be.at.most(51);
    }
    for (const name of [
      'http.server.request.duration',
      'http.client.request.duration',
      'outrigger_zone_requests_total',
    ] as const) {
      const total = Object.values(read(metrics, name)).reduce((sum, value) => sum + value);
      expect(total, name).to.equal(10_000);
    }
  });
});
