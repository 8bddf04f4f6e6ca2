import { printable } from './config-error.ts';

/**
 * Line of a place in a text, from 1, and what stands there, as it follows "got": one character, since
 * the text may be a secret.
 */
export function foundAt(text: string, offset: number): { line: number; found: string } {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  const column = offset - before.lastIndexOf('\n');
  const character = text.codePointAt(offset);
  if (character === undefined || text.slice(offset).trim() === '') {
    return { line, found: 'the end of the file' };
  }
  const shown = printable(String.fromCodePoint(character));
  const found = shown === '\\u000a' ? 'the end of the line' : `"${shown}"`;
  return { line, found: `${found} at column ${column}` };
}
