import type { Cell } from './measure/cell.ts';
import type { Row } from './row.ts';
import type { SubjectName } from './subjects/subject.ts';

const heading = [
  'subject',
  'CPU µs/request',
  '× HAProxy',
  'requests/s',
  'p50 µs',
  'added',
  'p99 µs',
  'RSS MiB',
  'CPU of each round',
];

/** The rows of one case as aligned text: medians, the ratio to HAProxy, latency added to that of `direct`, every repetition. */
export function table(
  rows: readonly Row[],
  cells: ReadonlyMap<SubjectName, readonly Cell[]>,
): string[] {
  const haproxy = rows.find((row) => row.subject === 'haproxy')?.cpuUsPerRequest ?? null;
  const direct = rows.find((row) => row.subject === 'direct')?.p50Us ?? null;
  const lines = rows.map((row) => [
    row.subject,
    number(row.cpuUsPerRequest, 2),
    number(ratio(row.cpuUsPerRequest, haproxy), 2),
    number(row.requestsPerSecond, 0),
    number(row.p50Us, 0),
    number(row.subject === 'direct' ? null : difference(row.p50Us, direct), 0),
    number(row.p99Us, 0),
    number(row.rssMiB, 1),
    (cells.get(row.subject) ?? []).map(repetition).join(' '),
  ]);
  return align([heading, ...lines]);
}

/** A repetition that clock ticks resolve to less than 1 % is marked. */
function repetition(cell: Cell): string {
  return `${number(cell.cpuUsPerRequest, 2)}${cell.tickError > 0.01 ? '~' : ''}`;
}

function align(lines: readonly (readonly string[])[]): string[] {
  const widths = heading.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines.map((line) =>
    line
      .map((text, column) => {
        const width = widths[column] ?? 0;
        return column === 0 || column === heading.length - 1
          ? text.padEnd(width)
          : text.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

function ratio(value: number | null, base: number | null): number | null {
  return value === null || base === null ? null : value / base;
}

function difference(value: number | null, base: number | null): number | null {
  return value === null || base === null ? null : value - base;
}

function number(value: number | null, digits: number): string {
  return value === null ? '–' : value.toFixed(digits);
}
