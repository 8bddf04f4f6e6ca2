/** Anything that JSON or a terminal could take for more than text. */
const UNSAFE = /[^ !#-[\]-~]/;
const BACKSLASH = 92;
const QUOTE = 34;

/**
 * Text for the inside of a JSON string, on one line and in ASCII: quotes, backslashes, control characters
 * and everything beyond `~` are escaped, so that wire text can neither end the line nor colour a terminal.
 */
export function escapeJson(text: string): string {
  if (!UNSAFE.test(text)) return text;
  let escaped = '';
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) escaped += '\\"';
    else if (code === BACKSLASH) escaped += '\\\\';
    else if (code >= 32 && code <= 126) escaped += text.charAt(at);
    else escaped += `\\u${code.toString(16).padStart(4, '0')}`;
  }
  return escaped;
}

/** The same for quoted fields of text formats, where a reader knows `\xHH` (nginx, httpd). */
export function escapeText(text: string): string {
  if (!UNSAFE.test(text)) return text;
  let escaped = '';
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 32 && code <= 126 && code !== QUOTE && code !== BACKSLASH) {
      escaped += text.charAt(at);
    } else if (code > 255) escaped += `\\u${code.toString(16).padStart(4, '0')}`;
    else escaped += `\\x${code.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}
