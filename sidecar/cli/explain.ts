import { suggestion } from '../config/nearest.ts';
import { catalogue, type FailureEntry } from '../failure-catalogue.ts';
import type { Console } from './console.ts';
import { exitCodes } from './exit-codes.ts';
import { renderTable, styled } from './table.ts';

const entries = new Map<string, FailureEntry>(Object.entries(catalogue));

const retryable = {
  safe: 'yes, any request: nothing reached the application',
  idempotent: 'idempotent requests only',
  never: 'no',
} as const;

/** Explains a code of the error catalogue, also by its short flag; without one lists all. Needs no sidecar. */
export function explainError(code: string | undefined, console: Console): number {
  if (code === undefined) return listCodes(console);
  const found = [...entries].filter(
    ([name, entry]) => name === code.toLowerCase() || (entry.flag === code && code !== '-'),
  );
  if (found.length === 0) {
    console.err(`unknown code ${JSON.stringify(code)}${suggestion(code, [...entries.keys()])}`);
    return exitCodes.mistake;
  }
  for (const [name, entry] of found) {
    if (!console.table) console.out(JSON.stringify({ code: name, ...entry }));
    else for (const line of describe(name, entry, console)) console.out(line);
  }
  return exitCodes.fine;
}

function describe(code: string, entry: FailureEntry, console: Console): string[] {
  return [
    `${styled(code, 'bold', console)}  ${entry.title}`,
    `  cause   ${entry.cause}`,
    `  fix     ${entry.fix}`,
    `  answer  HTTP ${entry.status}, gRPC ${entry.grpc}, flag ${entry.flag}`,
    `  retry   ${retryable[entry.retryable]}`,
    ...(entry.reserved ? ['  note    reserved: not produced by this release'] : []),
  ];
}

function listCodes(console: Console): number {
  if (!console.table) {
    for (const [code, entry] of entries) console.out(JSON.stringify({ code, ...entry }));
    return exitCodes.fine;
  }
  const rows = [...entries].map(([code, entry]) => [
    code,
    entry.flag,
    String(entry.status),
    entry.retryable,
    entry.reserved ? `${entry.title} (reserved)` : entry.title,
  ]);
  const head = ['CODE', 'FLAG', 'HTTP', 'RETRY', 'MEANING'];
  for (const line of renderTable(head, rows, [2], console)) console.out(line);
  return exitCodes.fine;
}
