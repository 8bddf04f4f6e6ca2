import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { type Backend, startBackend } from '../backend.ts';
import { bodySizes } from '../body-sizes.ts';
import { temporaryFolder } from '../leave-nothing.ts';
import { saturate } from '../load/saturation.ts';
import { type Cell, type Load, measureCell } from '../measure/cell.ts';
import { processUsage } from '../measure/process-usage.ts';
import { median } from '../measure/quantile.ts';
import type { Row } from '../row.ts';
import { direct } from '../subjects/direct.ts';
import { envoy } from '../subjects/envoy.ts';
import { haproxy } from '../subjects/haproxy.ts';
import { nginx } from '../subjects/nginx.ts';
import { outrigger } from '../subjects/outrigger.ts';
import type { RunningSubject, Subject, SubjectName } from '../subjects/subject.ts';
import { table } from '../table.ts';
import type { SuiteOptions, SuiteResult } from './suite.ts';

const subjects: readonly Subject[] = [outrigger, haproxy, nginx, envoy, direct];

interface Case extends Load {
  readonly name: string;
  readonly accessLog: boolean;
}

// The rates are a fraction of what the slowest subject manages on a small machine, so that no queue builds up.
const cases: readonly Case[] = [
  describeCase('1 KiB, 64 connections', '/1k', 64, 2000),
  describeCase('1 KiB, 1 connection', '/1k', 1, 500),
  describeCase('64 KiB, 16 connections', '/64k', 16, 500),
  describeCase('1 MiB, 16 connections', '/1m', 16, 50),
  { ...describeCase('1 KiB, 64 connections, access log', '/1k', 64, 2000), accessLog: true },
];

function describeCase(
  name: string,
  path: string,
  connections: number,
  requestsPerSecond: number,
): Case {
  const bodyBytes = bodySizes.get(path) ?? 0;
  return { name, path, bodyBytes, connections, requestsPerSecond, accessLog: false };
}

/**
 * One hop of HTTP/1.1 against its peers: CPU per request under saturation, latency at a fixed rate, memory, start. The
 * subjects take turns within a round, so that a change of the machine's mood hits all of them.
 */
export async function http1(options: SuiteOptions): Promise<SuiteResult> {
  const backend = await startBackend();
  const folder = temporaryFolder();
  const rows: Row[] = [];
  const invalid: string[] = [];
  const attempt = async (name: string, measure: () => Promise<Row[]>): Promise<void> => {
    if (!name.includes(options.only)) return;
    try {
      rows.push(...(await measure()));
    } catch (error) {
      invalid.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      options.print(`not valid: ${invalid.at(-1)}`);
    }
  };
  try {
    await attempt('start', () => measureStart(backend, folder, options));
    for (const wanted of cases) {
      await attempt(wanted.name, () => measureCase(wanted, backend, folder, options));
    }
    return { rows, invalid };
  } finally {
    await backend.stop();
  }
}

async function measureCase(
  wanted: Case,
  backend: Backend,
  folder: string,
  options: SuiteOptions,
): Promise<Row[]> {
  options.print(`\n${wanted.name}`);
  const running = new Map<SubjectName, RunningSubject>();
  try {
    for (const subject of subjects) {
      const started = await start(subject, backend, folder, wanted.accessLog);
      if (started !== null) running.set(subject.name, started);
    }
    const cells = await measureRounds(wanted, running, backend, options);
    const rows = [...cells].map(([name, repetitions]) => toRow(wanted.name, name, repetitions));
    for (const line of table(rows, cells)) options.print(line);
    return rows;
  } finally {
    for (const subject of running.values()) await subject.process?.stop();
  }
}

async function measureRounds(
  wanted: Case,
  running: ReadonlyMap<SubjectName, RunningSubject>,
  backend: Backend,
  options: SuiteOptions,
): Promise<Map<SubjectName, Cell[]>> {
  const cells = new Map<SubjectName, Cell[]>();
  // Compilers and pools get their chance before anything counts.
  for (const { port } of running.values()) await saturate({ ...wanted, port, seconds: 2 });
  for (let round = 1; round <= options.rounds; round++) {
    for (const [name, subject] of running) {
      options.print(`  round ${round} of ${options.rounds}: ${name}`);
      const cell = await measureCell(subject, backend, wanted, options.seconds);
      cells.set(name, [...(cells.get(name) ?? []), cell]);
    }
  }
  return cells;
}

/** From the spawn to the first 200 of its ready address, and memory before any traffic but that. */
async function measureStart(
  backend: Backend,
  folder: string,
  options: SuiteOptions,
): Promise<Row[]> {
  options.print('\nstart to ready (as p50, slowest as p99), memory at rest');
  const rows: Row[] = [];
  for (const subject of subjects) {
    const readyMs: number[] = [];
    const rssMiB: number[] = [];
    for (let i = 0; i < 5; i++) {
      const started = await start(subject, backend, folder, false);
      if (started === null) {
        options.print(`  ${subject.name} is not installed and is left out`);
        break;
      }
      if (started.process === null) break;
      readyMs.push(started.process.readyAfterMs);
      rssMiB.push(processUsage(started.process.pid).rssMiB);
      await started.process.stop();
    }
    if (readyMs.length === 0) continue;
    rows.push({
      case: 'start',
      subject: subject.name,
      cpuUsPerRequest: null,
      requestsPerSecond: null,
      p50Us: median(readyMs) * 1000,
      p99Us: Math.max(...readyMs) * 1000,
      rssMiB: median(rssMiB),
    });
  }
  for (const line of table(rows, new Map())) options.print(line);
  return rows;
}

function start(
  subject: Subject,
  backend: Backend,
  folder: string,
  accessLog: boolean,
): Promise<RunningSubject | null> {
  return subject.start({
    backendPort: backend.port,
    otlpPort: backend.otlpPort,
    folder: mkdtempSync(join(folder, `${subject.name}-`)),
    accessLog,
  });
}

function toRow(name: string, subject: SubjectName, cells: readonly Cell[]): Row {
  const of = (figure: (cell: Cell) => number | null): number | null => {
    const values = cells.map(figure).filter((value) => value !== null);
    return values.length === 0 ? null : median(values);
  };
  return {
    case: name,
    subject,
    cpuUsPerRequest: of((cell) => cell.cpuUsPerRequest),
    requestsPerSecond: of((cell) => cell.requestsPerSecond),
    p50Us: of((cell) => cell.p50Us),
    p99Us: of((cell) => cell.p99Us),
    rssMiB: of((cell) => cell.rssMiB),
  };
}
