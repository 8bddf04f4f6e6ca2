import { expect } from 'chai';
import { Failure, type FailureCode } from '../../../sidecar/failure.ts';
import { catalogue } from '../../../sidecar/failure-catalogue.ts';
import { fieldLines } from '../../../sidecar/message/headers.ts';
import { localReply } from '../../../sidecar/message/problem.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

function problemOf(failure: Failure, full: boolean): Record<string, unknown> {
  const { body } = localReply(failure, { traceId: TRACE, full });
  return JSON.parse(body.toString('utf8')) as Record<string, unknown>;
}

describe('local reply', () => {
  it('carries the code in field, Proxy-Status and body', () => {
    const { head, body } = localReply(new Failure('no_healthy_upstream'), {
      traceId: TRACE,
      full: false,
    });

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
      trace_id: TRACE,
    });
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
    expect(
      localReply(new Failure('no_route', detail), { traceId: '', full: true }).body.toString(),
    ).to.not.match(/[\r\n\0]/);
  });

  it('asks to retry after the time that the evidence names, in whole seconds', () => {
    const reply = localReply(new Failure('rate_limited', '', { retryAfterMs: 1200 }), {
      traceId: '',
      full: false,
    });

    expect(reply.head.headers.get('retry-after')).to.equal('2');
  });

  it('names the methods when one is not allowed', () => {
    const reply = localReply(new Failure('downstream_protocol_error', '', undefined, 405), {
      traceId: '',
      full: false,
    });

    expect(reply.head.headers.get('allow')).to.include('GET');
  });

  it('has no body for a decline', () => {
    const { head, body } = localReply(new Failure('declined'), { traceId: TRACE, full: true });

    expect([body.length, head.ended]).to.deep.equal([0, true]);
  });

  for (const code of Object.keys(catalogue) as FailureCode[]) {
    it(`can be written for ${code}`, () => {
      expect(
        fieldLines(localReply(new Failure(code), { traceId: TRACE, full: true }).head.headers),
      ).to.be.a('string');
    });
  }
});
