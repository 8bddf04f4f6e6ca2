import { expect } from 'chai';
import { validTraceState } from '../../telemetry/trace-state.ts';

const valid = [
  'a=1',
  'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
  ' a=1 ,\tb=2 ',
  'a=1,,b=2',
  'tenant@system=x',
  '0a_-*/=!~ x',
  `${'k'.repeat(256)}=${'v'.repeat(256)}`,
  Array.from({ length: 32 }, (_, index) => `k${index}=v`).join(','),
];
const invalid = [
  '',
  ' , ',
  'a',
  'a=',
  '=1',
  'A=1',
  'a=1=2',
  'a b=1',
  'a=\u00e9',
  'a=1\u0001',
  '-a=1',
  'a@b@c=1',
  `${'k'.repeat(257)}=1`,
  `a=${'v'.repeat(257)}`,
  Array.from({ length: 33 }, (_, index) => `k${index}=v`).join(','),
];

describe('tracestate', () => {
  for (const text of valid) {
    it(`is well formed: ${JSON.stringify(text.slice(0, 40))}`, () => {
      expect(validTraceState(text)).to.equal(true);
    });
  }
  for (const text of invalid) {
    it(`is malformed: ${JSON.stringify(text.slice(0, 40))}`, () => {
      expect(validTraceState(text)).to.equal(false);
    });
  }
});
