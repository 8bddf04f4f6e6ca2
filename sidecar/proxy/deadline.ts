/** Longest deadline read from a header, milliseconds: a day. Longer ones mean none. */
const LONGEST_MS = 86_400_000;

/**
 * Milliseconds left by `outrigger-timeout-ms`: one to nine digits. Infinite when absent or malformed, since
 * a deadline is advice from the caller about its own patience.
 */
export function timeLeft(value: string | null): number {
  const ms = digits(value);
  return ms < 0 || ms > LONGEST_MS ? Number.POSITIVE_INFINITY : ms;
}

/** One to nine decimal digits and nothing else, or -1. */
function digits(value: string | null): number {
  if (value === null || value.length === 0 || value.length > 9) return -1;
  let number = 0;
  for (let at = 0; at < value.length; at++) {
    const digit = value.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}
