const COLON = 0x3a;
const CLOSE_BRACKET = 0x5d;

/**
 * The host of an authority: without its port, without a trailing dot, ASCII letters lowered. IPv6
 * keeps its brackets. The authority has been validated by the codec.
 */
export function hostOf(authority: string): string {
  let end = authority.length;
  for (let at = end - 1; at >= 0; at--) {
    const code = authority.charCodeAt(at);
    if (code === CLOSE_BRACKET) break;
    if (code === COLON) {
      end = at;
      break;
    }
  }
  if (end > 1 && authority.charCodeAt(end - 1) === 0x2e) end--;
  return lowerAscii(end === authority.length ? authority : authority.slice(0, end));
}

function lowerAscii(text: string): string {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // Only a host with capitals is rewritten. It is ASCII here, so toLowerCase folds nothing else.
    if (code >= 0x41 && code <= 0x5a) return isAscii(text) ? text.toLowerCase() : text;
  }
  return text;
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7e) return false;
  return true;
}
