/**
 * Says where a text nests too deeply for its parser, before the parser sees it: beyond some thousand
 * levels the YAML library takes minutes or runs out of stack (measured: 4,000 `- ` on one line).
 * Counts brackets without regard to quotes and comments, so the limit is far above real use.
 */
export function nestingMistake(text: string): { line: number; message: string } | null {
  let line = 1;
  let depth = 0;
  let indent = 0;
  let indenting = true;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === NEWLINE) {
      line++;
      indent = 0;
      indenting = true;
      continue;
    }
    if (indenting && isIndent(code)) indent++;
    else indenting = false;
    if (code === 0x5b || code === 0x7b) depth++;
    else if ((code === 0x5d || code === 0x7d) && depth > 0) depth--;
    if (indent > MAX_INDENT || depth > MAX_DEPTH) return { line, message: 'nested too deeply' };
  }
  return null;
}

const NEWLINE = 0x0a;
const MAX_DEPTH = 200;
/** Columns of spaces and of the indicators `-`, `?` and `:` that open a level on the same line. */
const MAX_INDENT = 200;

function isIndent(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x2d || code === 0x3f || code === 0x3a;
}
