import { expect } from 'chai';
import { verdictOf } from '../../../sidecar/cluster/outcome.ts';
import { Failure, type FailureCode } from '../../../sidecar/failure.ts';

function ofStatus(status: number): string {
  return verdictOf({ status, failure: null, durationMs: 1 });
}

function ofCode(code: FailureCode): string {
  return verdictOf({ status: 0, failure: new Failure(code), durationMs: 1 });
}

describe('verdict on an attempt', () => {
  it('takes everything below 500 for success', () => {
    for (const status of [101, 200, 304, 404, 429, 499]) expect(ofStatus(status)).to.equal('ok');
  });

  it('tells gateway errors from other server errors', () => {
    expect([500, 501, 502, 503, 504, 505].map(ofStatus)).to.deep.equal([
      'server_error',
      'server_error',
      'gateway_error',
      'gateway_error',
      'gateway_error',
      'server_error',
    ]);
  });

  it('tells refusals from other failures seen from here', () => {
    expect(ofCode('connection_refused')).to.equal('refused');
    for (const code of ['connect_timeout', 'connection_reset', 'per_try_timeout'] as const) {
      expect(ofCode(code)).to.equal('local');
    }
  });

  it('does not blame the endpoint for callers that leave, limits of ours and keep-alive races', () => {
    for (const code of [
      'downstream_closed',
      'overflow',
      'queue_timeout',
      'deadline_exceeded',
      'keepalive_race',
    ] as const) {
      expect(ofCode(code)).to.equal('none');
    }
  });
});
