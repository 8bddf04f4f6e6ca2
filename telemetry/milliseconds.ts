/** `.001` to `.999` with trailing zeros cut: numbers with a fraction are slow to print otherwise. */
const FRACTIONS = Array.from({ length: 1000 }, (_, thousandths) =>
  thousandths === 0 ? '' : `.${String(thousandths).padStart(3, '0')}`.replace(/0+$/, ''),
);

/** A duration in milliseconds with at most three decimals, as text; negative ones are 0. */
export function formatMs(ms: number): string {
  if (!(ms > 0)) return '0';
  const micros = Math.round(ms * 1000);
  const whole = Math.floor(micros / 1000);
  return whole + (FRACTIONS[micros - whole * 1000] as string);
}
