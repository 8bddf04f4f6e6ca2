/** Value of a lower-case hex digit, 16 for any other character. */
export function lowerHexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  return code >= 97 && code <= 102 ? code - 87 : 16;
}

/** Lower-case hex digits only and not all of them zero, from `start` (included) to `end`. */
export function isLowerHexId(text: string, start: number, end: number): boolean {
  let any = 0;
  for (let at = start; at < end; at++) {
    const digit = lowerHexDigit(text.charCodeAt(at));
    if (digit === 16) return false;
    any |= digit;
  }
  return any !== 0;
}

/**
 * An id of up to `digits` hex digits of either case, as formats other than W3C send it: in lower case and
 * padded with zeros to full length. Null when it is none, or zero.
 */
export function normalizeId(text: string, digits: number): string | null {
  if (text.length === 0 || text.length > digits) return null;
  let lower = '';
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // ASCII fold of A–F alone: 'A' is 65, 'a' is 97.
    lower += String.fromCharCode(code >= 65 && code <= 70 ? code + 32 : code);
  }
  return isLowerHexId(lower, 0, lower.length) ? lower.padStart(digits, '0') : null;
}
