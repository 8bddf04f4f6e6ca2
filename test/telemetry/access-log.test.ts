import { expect } from 'chai';
import { AccessLog } from '../../telemetry/access-log.ts';
import type { AccessLogOptions } from '../../telemetry/options.ts';
import type { RequestRecord } from '../../telemetry/record.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { attemptOf, inboundOf, requestOf, traceOf } from '../support/request-record.ts';
import { MemorySink, telemetryOptions } from '../support/telemetry-options.ts';

const HOSTILE = '/a\r\nb\u001b[31m"\\\u0000\u009b\u00ff';

function lineOf(request: RequestRecord, over: Partial<AccessLogOptions> = {}): string {
  const sink = new MemorySink();
  const { accessLog, explain } = telemetryOptions({ accessLog: { filter: 'all', ...over } });
  const log = new AccessLog(accessLog, sink, new FakeClock(), explain);
  log.write(request, request.trace.sampled);
  log.flush();
  return sink.text;
}

const failure = requestOf({
  status: 503,
  code: 'no_healthy_upstream',
  flags: 'UH',
  fix: 'Look at the "checks".',
  attempts: [],
  trace: traceOf({ sampled: false, spanId: '' }),
});

describe('access log', () => {
  it('writes an outbound request as one line in the format of pino', () => {
    expect(lineOf(requestOf())).to.equal(
      '{"level":30,"time":1700000000010,"direction":"outbound","method":"GET","scheme":"http",' +
        '"authority":"orders","protocol":"HTTP/1.1","route":"orders","status":200,' +
        '"bytes_in":0,"bytes_out":512,"duration_ms":10,"ttfb_ms":8,"upstream_ms":7,"proxy_ms":0.75,' +
        '"upstream_service":"orders","upstream_host":"10.0.1.4:8080","upstream_zone":"a",' +
        '"local_zone":"a","lb_reason":"zone_local","attempts":1,"conn_reused":true,' +
        '"conn_age_ms":1500,"request_id":"0190163d-8694-739b-aea5-966c26f8ad91",' +
        '"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"b000000000000001",' +
        '"sampled":true,"client_address":"127.0.0.1","user_agent":"curl/8.5.0",' +
        '"config_generation":3}\n',
    );
  });

  it('shows template, attempts, queue and deadline where there are any', () => {
    const line = JSON.parse(
      lineOf(
        inboundOf({
          queueMs: 1.25,
          attempts: [
            attemptOf({ address: '::1' }),
            attemptOf({ deadlineRemainingMs: 990.4, retryReason: '503' }),
          ],
        }),
      ),
    ) as object;

    expect(line).to.deep.include({
      path: '/orders/{id}',
      queue_ms: 1.25,
      deadline_ms: 990,
      attempts: 2,
      attempt_hosts: ['[::1]:8080', '10.0.1.4:8080'],
    });
  });

  it('names a failure by code, alias, sentence and fix', () => {
    expect(JSON.parse(lineOf(failure))).to.deep.include({
      level: 40,
      status: 503,
      error_type: 'no_healthy_upstream',
      flags: 'UH',
      flag_text: 'No healthy endpoint',
      fix: 'Look at the "checks".',
      upstream_service: 'orders',
      sampled: false,
    });
  });

  it('leaves out what could not be read of a malformed request', () => {
    const unread = requestOf({
      method: '',
      authority: '',
      path: '',
      version: '',
      service: '',
      route: '',
      status: 400,
      code: 'downstream_protocol_error',
      attempts: [],
      userAgent: null,
      trace: traceOf({ sampled: false, traceId: '', parentSpanId: '', spanId: '' }),
    });

    expect(JSON.parse(lineOf(unread, { rawPath: true }))).to.have.all.keys(
      'level,time,direction,scheme,status,error_type,bytes_in,bytes_out,duration_ms,ttfb_ms,sampled,client_address,config_generation,request_id'.split(
        ',',
      ),
    );
    expect(lineOf(unread, { format: 'clf' })).to.contain(' "-" 400 ');
  });

  it('keeps wire text on one line of printable ASCII and gives it back to a JSON reader', () => {
    const text = lineOf(
      requestOf({ path: HOSTILE, userAgent: HOSTILE, authority: HOSTILE, requestId: HOSTILE }),
      { rawPath: true },
    );

    expect(text).to.match(/^[ -~]+\n$/);
    expect(JSON.parse(text)).to.include({
      path: HOSTILE,
      user_agent: HOSTILE,
      authority: HOSTILE,
      request_id: HOSTILE,
    });
  });

  it('shows the raw path only on demand, and then without signatures', () => {
    const request = requestOf({ path: '/a?sig=secret&b=1' });

    expect(JSON.parse(lineOf(request))).not.to.have.property('path');
    expect(JSON.parse(lineOf(request, { rawPath: true }))).to.include({
      path: '/a?sig=REDACTED&b=1',
    });
  });

  it('writes the default format of Envoy', () => {
    expect(lineOf(failure, { format: 'envoy' })).to.equal(
      '[2023-11-14T22:13:20.000Z] "GET - HTTP/1.1" 503 UH 0 512 10 - "127.0.0.1" "curl/8.5.0" ' +
        '"0190163d-8694-739b-aea5-966c26f8ad91" "orders" "-"\n',
    );
    expect(lineOf(requestOf(), { format: 'envoy', rawPath: true })).to.equal(
      '[2023-11-14T22:13:20.000Z] "GET /orders/17?page=2 HTTP/1.1" 200 - 0 512 10 7 "127.0.0.1" ' +
        '"curl/8.5.0" "0190163d-8694-739b-aea5-966c26f8ad91" "orders" "10.0.1.4:8080"\n',
    );
  });

  it('writes the common log format', () => {
    expect(lineOf(inboundOf(), { format: 'clf' })).to.equal(
      '10.0.1.9 - - [14/Nov/2023:22:13:20 +0000] "GET /orders/{id} HTTP/1.1" 200 512\n',
    );
  });

  for (const format of ['envoy', 'clf'] as const) {
    it(`escapes wire text in the ${format} format`, () => {
      const text = lineOf(requestOf({ path: HOSTILE, userAgent: HOSTILE, method: 'A"B' }), {
        format,
        rawPath: true,
      });

      expect(text).to.match(/^[ -~]+\n$/);
      expect(text).to.contain('"A\\x22B /a\\x0D\\x0Ab\\x1B[31m\\x22\\x5C\\x00\\x9B\\xFF HTTP/1.1"');
    });
  }

  const written: Record<AccessLogOptions['filter'], readonly boolean[]> = {
    all: [true, true, true],
    errors: [false, true, false],
    sampled: [true, false, false],
    none: [false, false, false],
  };
  for (const [filter, expected] of Object.entries(written)) {
    it(`writes with the filter ${filter} what it says`, () => {
      const requests = [
        requestOf(),
        failure,
        requestOf({ trace: traceOf({ sampled: false, spanId: '' }), status: 404 }),
      ];

      expect(
        requests.map(
          (request) => lineOf(request, { filter: filter as AccessLogOptions['filter'] }) !== '',
        ),
      ).to.deep.equal(expected);
    });
  }

  it('hands lines over after 100 ms, and at once when 16 KiB are together', () => {
    const sink = new MemorySink();
    const clock = new FakeClock();
    const { accessLog, explain } = telemetryOptions({ accessLog: { filter: 'all' } });
    const log = new AccessLog(accessLog, sink, clock, explain);

    log.write(requestOf(), true);
    clock.advance(99);
    expect(sink.lines).to.have.length(0);
    clock.advance(1);
    expect(sink.lines).to.have.length(1);

    const length = sink.text.length;
    let count = 0;
    while (sink.lines.length === 1) {
      log.write(requestOf(), true);
      count++;
    }
    expect(count).to.equal(Math.ceil(16_384 / length));
    expect(clock.pending).to.equal(0);
  });
});
