/** Nobody waits longer than a day, and no number of digits overflows. */
const MAX_SECONDS = 86_400;

/**
 * Milliseconds that a Retry-After field asks for (RFC 9110 §10.2.3): delay in seconds, or an
 * IMF-fixdate compared with `wallTimeMs`. Null without the field and for anything else.
 */
export function retryAfterMs(value: string | null, wallTimeMs: number): number | null {
  if (value === null || value.length === 0) return null;
  const seconds = delaySeconds(value);
  if (seconds !== null) return seconds * 1000;
  if (value.length !== 29 || !value.endsWith(' GMT')) return null;
  const date = Date.parse(value);
  if (Number.isNaN(date)) return null;
  return Math.min(MAX_SECONDS * 1000, Math.max(0, date - wallTimeMs));
}

function delaySeconds(value: string): number | null {
  let seconds = 0;
  for (let at = 0; at < value.length; at++) {
    const digit = value.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return null;
    seconds = Math.min(MAX_SECONDS, seconds * 10 + digit);
  }
  return seconds;
}
