/** One byte class: 1 where the byte belongs to it. Indexed by byte or by latin-1 char code. */
export type ByteClass = Uint8Array;

function byteClass(belongs: (byte: number) => boolean): ByteClass {
  const table = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) if (belongs(byte)) table[byte] = 1;
  return table;
}

function letterOrDigit(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x61 && byte <= 0x7a)
  );
}

const among = (text: string) => (byte: number) => text.includes(String.fromCharCode(byte));

/** `tchar` of RFC 9110 §5.6.2: methods, field names, parameter names. */
export const tokenBytes = byteClass((b) => letterOrDigit(b) || among("!#$%&'*+-.^_`|~")(b));

/** What a field value may hold: HTAB, SP, visible ASCII and 0x80–0xFF (RFC 9110 §5.5). */
export const fieldBytes = byteClass((b) => b === 0x09 || (b >= 0x20 && b !== 0x7f));

/** Visible ASCII without `#` and `\`: what of a request target is forwarded. */
export const targetBytes = byteClass((b) => b > 0x20 && b < 0x7f && !among('#\\')(b));

/** Names and IPv4 addresses in an authority; no list, userinfo, path or percent-encoding. */
export const hostBytes = byteClass((b) => letterOrDigit(b) || among('-._~')(b));

/** Whether the text is a non-empty token. */
export function isToken(text: string): boolean {
  return text.length > 0 && all(text, tokenBytes);
}

/** Whether the text can be a field value: latin-1, no control byte but HTAB. */
export function isFieldValue(text: string): boolean {
  return all(text, fieldBytes);
}

/** Whether every char is in the class; chars above 0xFF are in none. */
export function all(text: string, allowed: ByteClass): boolean {
  for (let i = 0; i < text.length; i++) if (allowed[text.charCodeAt(i)] !== 1) return false;
  return true;
}

/** Whether `text` equals `lower` without regard to ASCII case. `lower` holds no upper-case letter. */
export function equalsFolded(text: string, lower: string): boolean {
  if (text.length !== lower.length) return false;
  for (let i = 0; i < text.length; i++) {
    if (foldByte(text.charCodeAt(i)) !== lower.charCodeAt(i)) return false;
  }
  return true;
}

/** The byte in lower case when it is an ASCII letter, else itself. */
export function foldByte(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

/** ASCII letters in lower case, everything else untouched (unlike `toLowerCase` on Unicode). */
export function foldAscii(text: string): string {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x41 && code <= 0x5a) return foldFrom(text, i);
  }
  return text;
}

function foldFrom(text: string, first: number): string {
  let folded = text.slice(0, first);
  for (let i = first; i < text.length; i++)
    folded += String.fromCharCode(foldByte(text.charCodeAt(i)));
  return folded;
}
