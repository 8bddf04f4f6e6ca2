import { expect } from 'chai';
import { nearest } from '../../../sidecar/config/nearest.ts';

describe('nearest key', () => {
  const keys = ['panicThreshold', 'policy', 'zone', 'appPort', 'port', 'perTryTimeoutMs'];

  for (const [typed, meant] of [
    ['panicTreshold', 'panicThreshold'],
    ['zoen', 'zone'],
    ['Zone', 'zone'],
    ['app_port', 'appPort'],
    ['per-try-timeout-ms', 'perTryTimeoutMs'],
    ['prot', 'port'],
  ] as const) {
    it(`takes ${typed} for ${meant}`, () => {
      expect(nearest(typed, keys)).to.equal(meant);
    });
  }

  it('suggests nothing when nothing is close', () => {
    expect(nearest('nonsense', keys)).to.equal(null);
    expect(nearest('x', keys)).to.equal(null);
    expect(nearest('z'.repeat(10_000), keys)).to.equal(null);
    expect(nearest('zone', [])).to.equal(null);
  });
});
