// Turns what the live view wrote to a terminal (stdin) into the picture of the README (stdout): its last whole frame, as SVG.
//   script -qec 'stty cols 112 rows 30; npm start' capture.txt      # press some keys, then q
//   node test/tools/picture.mjs < capture.txt > docs/images/live-view.svg
import { readFileSync } from 'node:fs';

const columns = 112;
const cell = { width: 7.8, height: 17 };
const margin = 14;
const palette = new Map([
  ['1', 'font-weight="bold" fill="#ffffff"'],
  ['2', 'fill="#8b949e"'],
  ['31', 'fill="#ff7b72"'],
  ['32', 'fill="#7ee787"'],
  ['33', 'fill="#e3b341"'],
]);

const escape = '\u001b';
const styleCodes = new RegExp(`(${escape}\\[[0-9;]*m)`);
const styleCode = new RegExp(`^${escape}\\[([0-9;]*)m$`);
const otherCodes = new RegExp(`${escape}\\[[?0-9;]*[A-Za-ln-z]`, 'g');

const frame = lastFrame(readFileSync(0, 'utf8'));
if (frame === null) {
  process.stderr.write('there is no whole frame in the input\n');
  process.exit(1);
}
process.stdout.write(picture(frame));

/** A frame starts where the cursor goes home; the last start may be cut short, or be the clean-up, so the one before counts. */
function lastFrame(/** @type {string} */ capture) {
  const frames = capture
    .split(`${escape}[H`)
    .filter((text) => text.includes('who calls whom') && text.includes(' quit'));
  const whole = frames.at(-1)?.split(`${escape}[?`)[0]?.replace(otherCodes, '');
  return whole === undefined ? null : whole.split(/\r?\n/).map((line) => line.trimEnd());
}

function picture(/** @type {string[]} */ lines) {
  while (lines.at(-1) === '') lines.pop();
  const width = Math.ceil(columns * cell.width + 2 * margin);
  const height = Math.ceil(lines.length * cell.height + 2 * margin);
  const rows = lines.map((line, index) => {
    const y = margin + (index + 0.8) * cell.height;
    return `<text x="${margin}" y="${y.toFixed(1)}">${spans(line)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>The live view of the local mesh</title>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" fill="#d0d7de" xml:space="preserve">
${rows.join('\n')}
</g>
</svg>
`;
}

/** Each piece is placed by its column, so that a reader's font cannot shift the table. */
function spans(/** @type {string} */ line) {
  let column = 0;
  let style = '';
  let out = '';
  for (const piece of line.split(styleCodes)) {
    const code = styleCode.exec(piece);
    if (code !== null) {
      style = palette.get(code[1] ?? '') ?? '';
      continue;
    }
    if (piece.trim() !== '') {
      const indent = piece.length - piece.trimStart().length;
      const text = piece.trim();
      const x = (margin + (column + indent) * cell.width).toFixed(1);
      const length = (text.length * cell.width).toFixed(1);
      out += `<tspan x="${x}" textLength="${length}"${style === '' ? '' : ` ${style}`}>${escaped(text)}</tspan>`;
    }
    column += piece.length;
  }
  return out;
}

function escaped(/** @type {string} */ text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
