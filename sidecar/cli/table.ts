import { stripVTControlCharacters } from 'node:util';
import type { Console } from './console.ts';

const styles = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

export type Style = keyof typeof styles;

// oxlint-disable-next-line no-control-regex -- control characters are what it finds
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** Text from elsewhere on one line of a terminal: nothing in it can move the cursor or change colours. */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replace(CONTROL, '\ufffd');
}

export function styled(text: string, style: Style, console: Console): string {
  return console.color ? `\u001b[${styles[style]}m${text}\u001b[0m` : text;
}

/** Lines of a table with aligned columns. Cells may carry styles; `right` names columns of numbers. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[],
  console: Console,
): string[] {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => width(row[column] ?? ''))),
  );
  const line = (cells: readonly string[], style?: Style): string =>
    cells
      .map((cell, column) => {
        const space = ' '.repeat((widths[column] ?? 0) - width(cell));
        const text = style === undefined ? cell : styled(cell, style, console);
        return right.includes(column) ? space + text : text + space;
      })
      .join('  ')
      .trimEnd();
  return [line(head, 'bold'), ...rows.map((row) => line(row))];
}

function width(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
