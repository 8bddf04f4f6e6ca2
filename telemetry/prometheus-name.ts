import type { FamilySpec } from './families.ts';

const UNIT_WORDS: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes' };

/**
 * A family's name in Prometheus text: dots become underscores and the unit a word at the end, before
 * `_total` (OpenTelemetry, Prometheus compatibility). `1` is a ratio for gauges and nothing for counters.
 */
export function prometheusName(name: string, spec: FamilySpec): string {
  const plain = name.replaceAll('.', '_');
  const total = spec.type === 'counter' ? '_total' : '';
  const base = total !== '' && plain.endsWith(total) ? plain.slice(0, -total.length) : plain;
  const word = spec.unit === '1' && spec.type === 'gauge' ? 'ratio' : UNIT_WORDS[spec.unit];
  const suffix = word === undefined || base.endsWith(`_${word}`) ? '' : `_${word}`;
  return `${base}${suffix}${total}`;
}
