import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { expect } from 'chai';
import { readEnvironment } from '../../telemetry/environment.ts';
import { MethodNames } from '../../telemetry/method-names.ts';
import { RandomIds } from '../../telemetry/random-ids.ts';
import type { RequestRecord } from '../../telemetry/record.ts';
import type { SpanLimitSettings } from '../../telemetry/settings.ts';
import { SpanWriter } from '../../telemetry/span.ts';
import { attemptOf, inboundOf, requestOf, traceOf } from '../support/request-record.ts';
import { telemetryOptions } from '../support/telemetry-options.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';

/** The spans that one record becomes, in the order they were made. */
function spansOf(
  request: RequestRecord,
  options: { reason?: string; duplicateHttpNames?: boolean; limits?: SpanLimitSettings } = {},
): readonly ReadableSpan[] {
  const spans: ReadableSpan[] = [];
  const origin = { resource: resourceFromAttributes({}), scope: { name: 'test' } };
  const writer = new SpanWriter(
    origin,
    new RandomIds(),
    {
      methods: new MethodNames(),
      limits: options.limits ?? readEnvironment({}, telemetryOptions()).settings.spanLimits,
      duplicateHttpNames: options.duplicateHttpNames ?? false,
      titleOf: (code) => (code === 'connection_refused' ? 'Connection refused' : null),
    },
    (span) => spans.push(span),
  );
  const made = writer.write(request, options.reason ?? null);
  expect(spans).to.have.length(made);
  return spans;
}

function only(spans: readonly ReadableSpan[]): ReadableSpan {
  expect(spans).to.have.length(1);
  return spans[0] as ReadableSpan;
}

describe('spans of a request', () => {
  it('are one CLIENT span for an outbound request at its first attempt', () => {
    const span = only(spansOf(requestOf()));

    expect(span.name).to.equal('GET');
    expect(span.kind).to.equal(SpanKind.CLIENT);
    expect(span.spanContext()).to.include({ traceId: TRACE, spanId: 'b000000000000001' });
    expect(span.parentSpanContext).to.include({ spanId: CALLER, isRemote: true });
    expect(span.status).to.deep.equal({ code: SpanStatusCode.UNSET });
    expect(span.startTime).to.deep.equal([1_700_000_000, 2_000_000]);
    expect(span.endTime).to.deep.equal([1_700_000_000, 9_000_000]);
    expect(span.attributes).to.deep.equal({
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'url.full': 'http://orders/orders/17?page=2',
      'server.address': 'orders',
      'server.port': 80,
      'network.peer.address': '10.0.1.4',
      'network.peer.port': 8080,
      'network.protocol.version': '1.1',
      'service.peer.name': 'orders',
      'outrigger.attempt.number': 1,
      'outrigger.attempt.outcome': 'ok',
      'outrigger.connection.age_ms': 1500,
      'outrigger.connection.reused': true,
      'outrigger.lb.active_requests': 2,
      'outrigger.lb.candidates': 3,
      'outrigger.lb.policy': 'least_request',
      'outrigger.lb.reason': 'zone_local',
      'outrigger.proxy.duration_ms': 0.75,
      'outrigger.request_id': '0190163d-8694-739b-aea5-966c26f8ad91',
      'outrigger.zone.local': 'a',
      'outrigger.zone.selected': 'a',
    });
  });

  it('are one SERVER span for an inbound request, named by its template', () => {
    const span = only(spansOf(inboundOf({ queueMs: 8 })));

    expect(span.name).to.equal('GET /orders/{id}');
    expect(span.kind).to.equal(SpanKind.SERVER);
    expect(span.spanContext().spanId).to.equal('aaaaaaaaaaaaaaaa');
    expect(span.attributes).to.deep.equal({
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'http.route': '/orders/{id}',
      'url.scheme': 'http',
      'url.path': '/orders/17',
      'url.query': 'page=2',
      'server.address': 'orders',
      'server.port': 80,
      'network.peer.address': '10.0.1.9',
      'network.peer.port': 50_000,
      'network.protocol.version': '1.1',
      'client.address': '10.0.1.9',
      'user_agent.original': 'curl/8.5.0',
      'outrigger.proxy.duration_ms': 0.75,
      'outrigger.queue.wait_ms': 8,
      'outrigger.request_id': '0190163d-8694-739b-aea5-966c26f8ad91',
    });
  });

  it('are an INTERNAL span without error over three siblings when the third attempt succeeds', () => {
    const [internal, ...attempts] = spansOf(
      requestOf({
        attempts: [
          attemptOf({ status: 0, code: 'connection_refused', endMs: 1003 }),
          attemptOf({ spanId: 'b000000000000002', status: 503, retryReason: 'connection_refused' }),
          attemptOf({ spanId: 'b000000000000003', retryReason: '503', budgetRemaining: 4.5 }),
        ],
      }),
    ) as [ReadableSpan, ...ReadableSpan[]];

    expect(internal.name).to.equal('outbound orders');
    expect(internal.kind).to.equal(SpanKind.INTERNAL);
    expect(internal.spanContext().spanId).to.equal('aaaaaaaaaaaaaaaa');
    expect(internal.parentSpanContext?.spanId).to.equal(CALLER);
    expect(internal.status.code).to.equal(SpanStatusCode.UNSET);
    expect(internal.attributes).not.to.have.property('error.type');
    expect(attempts.map((span) => span.parentSpanContext?.spanId)).to.deep.equal(
      Array.from({ length: 3 }, () => 'aaaaaaaaaaaaaaaa'),
    );
    expect(attempts.map((span) => span.parentSpanContext?.isRemote)).to.deep.equal([
      false,
      false,
      false,
    ]);
    expect(attempts.map((span) => span.attributes['http.request.resend_count'])).to.deep.equal([
      undefined,
      1,
      2,
    ]);
    expect(attempts.map((span) => span.attributes['error.type'])).to.deep.equal([
      'connection_refused',
      '503',
      undefined,
    ]);
    expect(attempts.map((span) => span.status)).to.deep.equal([
      { code: SpanStatusCode.ERROR, message: 'Connection refused' },
      { code: SpanStatusCode.ERROR },
      { code: SpanStatusCode.UNSET },
    ]);
    expect(attempts.map((span) => span.attributes['outrigger.attempt.outcome'])).to.deep.equal([
      'failed',
      'failed',
      'ok',
    ]);
    expect(attempts[2]?.attributes).to.include({
      'outrigger.retry.reason': '503',
      'outrigger.retry.budget_remaining': 4.5,
    });
    expect(new Set(attempts.map((span) => span.spanContext().traceId))).to.deep.equal(
      new Set([TRACE]),
    );
  });

  it('are an INTERNAL and a CLIENT span when the request waited more than 5 ms', () => {
    expect(spansOf(requestOf({ queueMs: 5 }))).to.have.length(1);
    expect(spansOf(requestOf({ queueMs: 5.1 })).map((span) => span.kind)).to.deep.equal([
      SpanKind.INTERNAL,
      SpanKind.CLIENT,
    ]);
  });

  it('are one CLIENT span for an outbound request that was never sent', () => {
    const span = only(
      spansOf(
        requestOf({
          attempts: [],
          status: 503,
          code: 'no_healthy_upstream',
          flags: 'UH',
          detail: 'orders has 3 endpoints and none is usable',
        }),
      ),
    );

    expect(span.kind).to.equal(SpanKind.CLIENT);
    expect(span.spanContext().spanId).to.equal('aaaaaaaaaaaaaaaa');
    expect(span.status).to.deep.equal({
      code: SpanStatusCode.ERROR,
      message: 'orders has 3 endpoints and none is usable',
    });
    expect(span.attributes).to.include({
      'error.type': 'no_healthy_upstream',
      'outrigger.error.code': 'no_healthy_upstream',
      'outrigger.flags': 'UH',
    });
    expect(span.attributes).not.to.have.any.keys(
      'network.peer.address',
      'http.response.status_code',
      'outrigger.attempt.number',
    );
  });

  describe('have the status', () => {
    const cases: {
      what: string;
      status: number;
      code?: string;
      server: string | null;
      client: string | null;
    }[] = [
      { what: '101', status: 101, server: null, client: null },
      { what: '204', status: 204, server: null, client: null },
      { what: '304', status: 304, server: null, client: null },
      { what: '404 of the application', status: 404, server: null, client: '404' },
      {
        what: 'a local 4xx',
        status: 429,
        code: 'rate_limited',
        server: null,
        client: 'rate_limited',
      },
      { what: '500 of the application', status: 500, server: '500', client: '500' },
      { what: '503 of the application', status: 503, server: '503', client: '503' },
      {
        what: 'a local 5xx',
        status: 504,
        code: 'per_try_timeout',
        server: 'per_try_timeout',
        client: 'per_try_timeout',
      },
      {
        what: 'no response at all',
        status: 0,
        code: 'connection_reset',
        server: 'connection_reset',
        client: 'connection_reset',
      },
      {
        what: 'a response that broke off',
        status: 200,
        code: 'response_truncated',
        server: 'response_truncated',
        client: 'response_truncated',
      },
      {
        what: 'a caller that left',
        status: 499,
        code: 'downstream_closed',
        server: null,
        client: null,
      },
    ];
    for (const { what, status, code, server, client } of cases) {
      const both = { status, code: code ?? null, flags: code === 'downstream_closed' ? 'DC' : '' };
      it(`${server ?? 'unset'} on SERVER for ${what}`, () => {
        const span = only(spansOf(inboundOf(both)));

        expect(span.attributes['error.type'] ?? null).to.equal(server);
        expect(span.status.code).to.equal(
          server === null ? SpanStatusCode.UNSET : SpanStatusCode.ERROR,
        );
        expect(span.attributes['outrigger.error.code']).to.equal(code);
        expect(span.status.code).not.to.equal(SpanStatusCode.OK);
      });
      it(`${client ?? 'unset'} on CLIENT for ${what}`, () => {
        const attempt = attemptOf({ status: status === 499 ? 0 : status, code: both.code });
        const span = only(spansOf(requestOf({ ...both, attempts: [attempt] })));

        expect(span.attributes['error.type'] ?? null).to.equal(client);
        expect(span.status.code).to.equal(
          client === null ? SpanStatusCode.UNSET : SpanStatusCode.ERROR,
        );
      });
    }

    it('of a cancelled attempt for a caller that left', () => {
      const attempt = attemptOf({ status: 0, code: 'downstream_closed' });
      const span = only(
        spansOf(
          requestOf({ status: 499, code: 'downstream_closed', flags: 'DC', attempts: [attempt] }),
        ),
      );

      expect(span.attributes['outrigger.attempt.outcome']).to.equal('cancelled_hedge');
      expect(span.attributes['outrigger.flags']).to.equal('DC');
    });

    it('error on INTERNAL when every attempt failed, with the reason why there was no other', () => {
      const [internal, , last] = spansOf(
        requestOf({
          status: 503,
          attempts: [
            attemptOf({ status: 503 }),
            attemptOf({ status: 503, retryReason: '503', retryDenied: 'budget' }),
          ],
        }),
      );

      expect(internal?.attributes['error.type']).to.equal('503');
      expect(internal?.status).to.deep.equal({ code: SpanStatusCode.ERROR });
      expect(last?.attributes['outrigger.retry.denied']).to.equal('budget');
    });
  });

  it('take their name from known methods only', () => {
    const span = only(spansOf(inboundOf({ method: 'BREW', template: null })));

    expect(span.name).to.equal('HTTP');
    expect(span.attributes).to.include({
      'http.request.method': '_OTHER',
      'http.request.method_original': 'BREW',
    });
    expect(span.attributes).not.to.have.property('http.route');
  });

  it('hide signatures and credentials and keep the rest of the URL', () => {
    const span = only(
      spansOf(
        requestOf({
          authority: 'ada:lovelace@orders:8080',
          path: '/a?x=1&X-Amz-Signature=abc&sig=&Sig%6Eature=s&signature2=kept',
        }),
      ),
    );

    expect(span.attributes['url.full']).to.equal(
      'http://REDACTED:REDACTED@orders:8080/a?x=1&X-Amz-Signature=REDACTED&sig=REDACTED&Sig%6Eature=REDACTED&signature2=kept',
    );
    expect(span.attributes).to.include({ 'server.address': 'orders', 'server.port': 8080 });
    expect(JSON.stringify(span.attributes)).not.to.contain('lovelace');
  });

  for (const authority of ['127.0.0.1:15001', 'localhost:15001', '[::1]:15001', '']) {
    it(`name the service where the application called ${JSON.stringify(authority)}`, () => {
      const span = only(spansOf(requestOf({ authority })));

      expect(span.attributes['server.address']).to.equal('orders');
      expect(span.attributes['url.full']).to.equal('http://orders/orders/17?page=2');
    });
  }

  it('tell why a root was sampled, once', () => {
    const trace = traceOf({ parentSpanId: '', reason: 'ratio' });
    const spans = spansOf(requestOf({ trace, queueMs: 10 }), { reason: 'ratio' });

    expect(spans.map((span) => span.attributes['outrigger.sampling.reason'])).to.deep.equal([
      'ratio',
      undefined,
    ]);
    expect(spans[0]?.parentSpanContext).to.equal(undefined);
    expect(spans[0]?.spanContext().traceId).to.equal(TRACE);
  });

  it('carry the trace state and link to the context of a trust edge', () => {
    const linked = only(
      spansOf(
        inboundOf({
          trace: traceOf({
            parentSpanId: '',
            link: { traceId: '1'.repeat(32), spanId: '2'.repeat(16) },
          }),
        }),
      ),
    );
    const stated = only(spansOf(inboundOf({ trace: traceOf({ traceState: 'a=1,b=2' }) })));

    expect(linked.links.map((link) => link.context.traceId)).to.deep.equal(['1'.repeat(32)]);
    expect(stated.spanContext().traceState?.serialize()).to.equal('a=1,b=2');
  });

  it('have the old HTTP names beside the new ones on request', () => {
    const server = only(spansOf(inboundOf(), { duplicateHttpNames: true }));
    const client = only(spansOf(requestOf(), { duplicateHttpNames: true }));

    expect(server.attributes).to.include({
      'http.method': 'GET',
      'http.status_code': 200,
      'http.target': '/orders/17?page=2',
      'net.host.name': 'orders',
    });
    expect(client.attributes).to.include({
      'http.url': 'http://orders/orders/17?page=2',
      'net.peer.name': 'orders',
    });
    expect(only(spansOf(requestOf())).attributes).not.to.have.property('http.url');
  });

  it('stay within the limits of the environment and say what was cut', () => {
    const { spanLimits } = readEnvironment(
      { OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '6', OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '4' },
      telemetryOptions(),
    ).settings;
    const span = only(spansOf(inboundOf(), { limits: spanLimits }));

    expect(span.attributes).to.deep.equal({
      'http.request.method': 'GET',
      'url.scheme': 'http',
      'url.path': '/order',
      'url.query': 'page=2',
    });
    expect(span.droppedAttributesCount).to.equal(11);
  });

  it('last as long as the request, also across a second', () => {
    const span = only(spansOf(inboundOf({ startWallMs: 1_700_000_000_999.5 })));

    expect(span.startTime).to.deep.equal([1_700_000_000, 999_500_000]);
    expect(span.endTime).to.deep.equal([1_700_000_001, 9_500_000]);
    expect(span.duration).to.deep.equal([0, 10_000_000]);
  });
});
