/** Trace Context §3.3.1.3.1: at most this many members. */
const MAX_MEMBERS = 32;
const COMMA = 44;
const EQUALS = 61;
const SPACE = 32;
const TAB = 9;

/**
 * Whether a `tracestate` value is well formed (Trace Context Level 2, §3.3.1). A malformed one is dropped
 * alone; a well-formed one is passed on as it is, members in order.
 */
export function validTraceState(text: string): boolean {
  let members = 0;
  let start = 0;
  while (start <= text.length) {
    let end = text.indexOf(',', start);
    if (end === -1) end = text.length;
    const from = skipSpace(text, start, end);
    const to = skipSpaceBack(text, from, end);
    if (to > from) {
      members++;
      if (members > MAX_MEMBERS || !validMember(text, from, to)) return false;
    }
    start = end + 1;
  }
  return members > 0;
}

function validMember(text: string, from: number, to: number): boolean {
  let at = from;
  let ats = 0;
  for (; at < to && text.charCodeAt(at) !== EQUALS; at++) {
    const code = text.charCodeAt(at);
    if (code === 64) ats++;
    else if (!isKeyCharacter(code)) return false;
  }
  const keyLength = at - from;
  if (at === to || keyLength === 0 || keyLength > 256 || ats > 1) return false;
  const first = text.charCodeAt(from);
  if (!isLowerLetter(first) && !isDigit(first)) return false;
  const valueLength = to - at - 1;
  if (valueLength === 0 || valueLength > 256) return false;
  for (at++; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code < SPACE || code > 126 || code === COMMA || code === EQUALS) return false;
  }
  return true;
}

/** lcalpha, DIGIT, `_`, `-`, `*`, `/`. */
function isKeyCharacter(code: number): boolean {
  return (
    isLowerLetter(code) || isDigit(code) || code === 95 || code === 45 || code === 42 || code === 47
  );
}

function isLowerLetter(code: number): boolean {
  return code >= 97 && code <= 122;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isSpace(code: number): boolean {
  return code === SPACE || code === TAB;
}

function skipSpace(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && isSpace(text.charCodeAt(at))) at++;
  return at;
}

function skipSpaceBack(text: string, from: number, end: number): number {
  let at = end;
  while (at > from && isSpace(text.charCodeAt(at - 1))) at--;
  return at;
}
