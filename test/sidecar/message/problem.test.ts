import { expect } from 'chai';
import { Failure, type FailureCode } from '../../../sidecar/failure.ts';
import { catalogue } from '../../../sidecar/failure-catalogue.ts';
import { fieldLines } from '../../../sidecar/message/headers.ts';
import {
  type LocalReply,
  type LocalReplyOptions,
  localReply,
} from '../../../sidecar/message/problem.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

function replyTo(failure: Failure, over: Partial<LocalReplyOptions> = {}): LocalReply {
  return localReply(failure, { traceId: '', requestId: '', service: '', full: false, ...over });
}

function problemOf(
  failure: Failure,
  full: boolean,
  over: Partial<LocalReplyOptions> = {},
): Record<string, unknown> {
  const { body } = replyTo(failure, { traceId: TRACE, full, ...over });
  return JSON.parse(body.toString('utf8')) as Record<string, unknown>;
}

describe('local reply', () => {
  it('carries the code in field, Proxy-Status and body', () => {
    const { head, body } = replyTo(new Failure('no_healthy_upstream'));

    expect(head).to.include({ status: 503, contentLength: body.length, ended: false });
    expect(head.headers.get('outrigger-error')).to.equal('no_healthy_upstream');
    expect(head.headers.get('proxy-status')).to.equal(
      'outrigger; error=destination_unavailable; details=no_healthy_upstream',
    );
    expect(head.headers.get('content-type')).to.equal('application/problem+json');
  });

  it('tells the local application everything', () => {
    const failure = new Failure('no_healthy_upstream', 'orders has 3 instances', {
      service: 'orders',
      critical: 3,
    });

    expect(problemOf(failure, true)).to.deep.equal({
      type: 'urn:outrigger:error:no_healthy_upstream',
      title: 'No healthy endpoint',
      status: 503,
      code: 'no_healthy_upstream',
      flag: 'UH',
      detail: 'orders has 3 instances',
      evidence: { service: 'orders', critical: 3 },
      cause: catalogue.no_healthy_upstream.cause,
      fix: 'Look at the checks and ejections: outrigger endpoints orders',
      docs: 'outrigger explain error no_healthy_upstream',
      trace_id: TRACE,
    });
  });

  it('names the service that was called, also where the failure does not know it', () => {
    const failure = new Failure('no_healthy_upstream', '', { critical: 3 });

    expect(problemOf(failure, true, { service: 'orders' })).to.deep.include({
      evidence: { service: 'orders', critical: 3 },
      fix: 'Look at the checks and ejections: outrigger endpoints orders',
    });
  });

  it('echoes the request id where there is one', () => {
    const failure = new Failure('denied');

    expect(replyTo(failure, { requestId: 'r-1' }).head.headers.get('x-request-id')).to.equal('r-1');
    expect(replyTo(failure).head.headers.get('x-request-id')).to.equal(null);
  });

  it('tells others code, title and trace id only', () => {
    const failure = new Failure('denied', 'secret detail', { secret: 'x' });

    expect(Object.keys(problemOf(failure, false))).to.deep.equal([
      'type',
      'title',
      'status',
      'code',
      'trace_id',
    ]);
  });

  it('escapes whatever the wire put into it', () => {
    const detail = 'a"b\\c\r\nd\u0000\u001b[31m\u0080';

    expect(problemOf(new Failure('no_route', detail, { host: detail }), true)).to.deep.include({
      detail,
      evidence: { host: detail },
    });
    expect(replyTo(new Failure('no_route', detail), { full: true }).body.toString()).to.not.match(
      /[\r\n\0]/,
    );
  });

  it('asks to retry after the time that the evidence names, in whole seconds', () => {
    const reply = replyTo(new Failure('rate_limited', '', { retry_after_ms: 1200 }));

    expect(reply.head.headers.get('retry-after')).to.equal('2');
  });

  it('names the methods when one is not allowed', () => {
    const reply = replyTo(new Failure('downstream_protocol_error', '', undefined, 405));

    expect(reply.head.headers.get('allow')).to.include('GET');
  });

  it('has no body for a decline', () => {
    const { head, body } = replyTo(new Failure('declined'), { full: true });

    expect([body.length, head.ended]).to.deep.equal([0, true]);
  });

  for (const code of Object.keys(catalogue) as FailureCode[]) {
    it(`can be written for ${code}`, () => {
      expect(fieldLines(replyTo(new Failure(code), { full: true }).head.headers)).to.be.a('string');
    });
  }
});
