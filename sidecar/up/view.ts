import type { Condition } from './mesh-member.ts';
import type { CallState, InstanceState, MeshState } from './observe.ts';

/** Everything one frame of the live view is made of. */
export interface ViewModel {
  /** Null until two readings have been taken. */
  readonly state: MeshState | null;
  readonly conditions: ReadonlyMap<string, Condition>;
  readonly registry: { readonly kind: string; readonly address: string; readonly running: boolean };
  /** Where spans go, in words. */
  readonly traces: string;
  readonly uptimeMs: number;
  /** Oldest first. */
  readonly events: readonly { readonly atMs: number; readonly text: string }[];
  /** Lines of the newest trace instead of the events; null for the events. */
  readonly trace: readonly string[] | null;
}

export interface ViewSize {
  readonly columns: number;
  readonly rows: number;
  readonly color: boolean;
}

/**
 * The live view as lines: never more of them than `rows`, none longer than `columns`. On a low screen
 * the empty lines go first; a trace takes the place of the instances and the events.
 */
export function renderView(model: ViewModel, size: ViewSize): string[] {
  const { state, trace } = model;
  const gap = size.rows < ROOMY_ROWS ? [] : [blank];
  const top = [titleLine(model), registryLine(model), ...gap];
  if (state === null) top.push([plain(' waiting for the first readings')], ...gap);
  else {
    top.push(callHeader, ...state.calls.map(callLine), ...gap);
    const instances = state.instances.map((it) => instanceLine(it, model));
    if (trace === null) top.push(instanceHeader, ...instances, ...gap);
  }
  const room = Math.max(0, size.rows - top.length - 1);
  const bottom = trace === null ? eventLines(model, room) : traceLines(trace, room);
  const filler = Array.from({ length: Math.max(0, room - bottom.length) }, () => blank);
  const lines = [...top, ...bottom, ...filler].slice(0, Math.max(0, size.rows - 1));
  return [...lines, keyLine].map((it) => print(it, size));
}

/** One line for logs and pipes. `timeOfDay` goes first. */
export function renderStatus(
  state: MeshState,
  registryRunning: boolean,
  timeOfDay: string,
): string {
  const entry = state.calls[0];
  const ejected = new Set(state.calls.flatMap((it) => it.ejected));
  return [
    `${timeOfDay}  ${(entry?.requestsPerSecond ?? 0).toFixed(1)} req/s`,
    `${state.requests} calls, ${state.failures} failed`,
    `p50 ${duration(entry?.p50Ms ?? null)}, p99 ${duration(entry?.p99Ms ?? null)}`,
    `${state.retries} retries`,
    ejected.size === 0 ? 'none ejected' : `ejected: ${[...ejected].join(' ')}`,
    `registry ${registryRunning ? 'up' : 'down'}`,
  ].join(' · ');
}

type Style = 'plain' | 'bold' | 'dim' | 'good' | 'warn' | 'bad';

interface Segment {
  readonly text: string;
  readonly style: Style;
}

const CODES: Record<Style, string> = {
  plain: '',
  bold: '\u001b[1m',
  dim: '\u001b[2m',
  good: '\u001b[32m',
  warn: '\u001b[33m',
  bad: '\u001b[31m',
};
const RESET = '\u001b[0m';

/** From this height on there are empty lines between the parts. */
const ROOMY_ROWS = 30;

const blank: Segment[] = [];
const callHeader = [
  dim(' who calls whom'.padEnd(22) + '   req/s     p50     p99  failed/s  retries/s  in own zone'),
];
const instanceHeader = [
  dim(' instance  zone    req/s     p50     p99  admin                   state'),
];
const keyLine = [
  plain(' '),
  ...[
    ['k', 'kill'],
    ['s', 'slow'],
    ['f', 'fail'],
    ['r', 'registry'],
    ['z', 'heal all'],
    ['t', 'trace'],
    ['q', 'quit'],
  ].flatMap(([key, what]) => [{ text: `${key}`, style: 'bold' as const }, plain(` ${what}   `)]),
];

function titleLine({ state, traces, uptimeMs }: ViewModel): Segment[] {
  const title: Segment = { text: ' Outrigger local mesh', style: 'bold' };
  const known = plain(`  up ${clock(uptimeMs)}  traces ${traces}  `);
  if (state === null) return [title, known];
  return [
    title,
    known,
    plain(`${state.requests} calls, `),
    { text: `${state.failures} failed`, style: state.failures > 0 ? 'bad' : 'good' },
    plain(`, ${state.retries} retries, ${state.ejections} ejections`),
  ];
}

function registryLine({ state, registry }: ViewModel): Segment[] {
  const { kind, address, running } = registry;
  if (running) return [plain(` registry ${kind} at ${address} `), { text: 'up', style: 'good' }];
  const ageMs = state?.discoveryAgeMs ?? null;
  const age = ageMs === null ? '' : `, ${Math.round(ageMs / 1000)} s old`;
  return [
    plain(` registry ${kind} at ${address} `),
    { text: 'stopped', style: 'bad' },
    plain(`; the last good endpoints serve${age}`),
  ];
}

function callLine(it: CallState): Segment[] {
  const { retriesPerSecond, failuresPerSecond } = it;
  return [
    plain(` ${'  '.repeat(it.depth)}${it.caller} → ${it.callee}`.padEnd(22)),
    plain(it.requestsPerSecond.toFixed(1).padStart(8)),
    plain(duration(it.p50Ms).padStart(8)),
    plain(duration(it.p99Ms).padStart(8)),
    {
      text: failuresPerSecond.toFixed(1).padStart(10),
      style: failuresPerSecond > 0 ? 'bad' : 'plain',
    },
    {
      text: retriesPerSecond.toFixed(1).padStart(11),
      style: retriesPerSecond > 0 ? 'warn' : 'plain',
    },
    plain(`  ${bar(it.sameZone)}`),
    ...(it.ejected.length > 0
      ? [{ text: `  ejected: ${it.ejected.join(' ')}`, style: 'warn' as const }]
      : []),
    ...(it.panic ? [{ text: '  panic', style: 'bad' as const }] : []),
  ];
}

function instanceLine(it: InstanceState, model: ViewModel): Segment[] {
  const condition = model.conditions.get(it.id) ?? { kind: 'running' };
  const [text, style] = describe(it, condition);
  return [
    plain(` ${it.id}`.padEnd(11) + it.zone.padEnd(7)),
    plain(it.requestsPerSecond.toFixed(1).padStart(6)),
    plain(duration(it.p50Ms).padStart(8)),
    plain(duration(it.p99Ms).padStart(8)),
    dim(`  http://127.0.0.1:${it.adminPort}  `),
    { text, style },
  ];
}

function describe(it: InstanceState, condition: Condition): [string, Style] {
  switch (condition.kind) {
    case 'down':
      return [`killed, back in ${Math.ceil(condition.backInMs / 1000)} s`, 'bad'];
    case 'starting':
      return ['starting', 'warn'];
    case 'slow':
      return [`slow${standing(it)}`, 'warn'];
    case 'failing':
      return [`failing${standing(it)}`, 'bad'];
    case 'running': {
      if (!it.answering) return ['no answer', 'bad'];
      const doubts = standing(it);
      return [`serving${doubts}`, doubts === '' ? 'good' : 'warn'];
    }
  }
}

/** What its callers hold against an instance. */
function standing({ ejectedBy, criticalFor, knownBy }: InstanceState): string {
  if (ejectedBy > 0) return `, ejected by ${ejectedBy} of ${knownBy}`;
  return criticalFor > 0 ? `, critical for ${criticalFor} of ${knownBy}` : '';
}

function eventLines(model: ViewModel, room: number): Segment[][] {
  if (room < 2) return [];
  const newest = model.events.slice(-(room - 1));
  return [[dim(' events')], ...newest.map((it) => [dim(` ${clock(it.atMs)} `), plain(it.text)])];
}

function traceLines(trace: readonly string[], room: number): Segment[][] {
  return trace.slice(0, room).map((line) => [plain(` ${line}`)]);
}

function print(line: readonly Segment[], { columns, color }: ViewSize): string {
  let left = columns;
  let text = '';
  for (const { text: raw, style } of line) {
    const piece = raw.slice(0, left).replace(CONTROL, '?');
    left -= piece.length;
    if (piece === '') continue;
    text += color && CODES[style] !== '' ? `${CODES[style]}${piece}${RESET}` : piece;
  }
  return color ? text : text.trimEnd();
}

// oxlint-disable-next-line no-control-regex -- control characters are what must not reach the terminal
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

function plain(text: string): Segment {
  return { text, style: 'plain' };
}

function dim(text: string): Segment {
  return { text, style: 'dim' };
}

function bar(share: number | null): string {
  if (share === null) return '     –';
  const full = Math.round(share * 10);
  return `${`${Math.round(share * 100)} %`.padStart(6)} ${'█'.repeat(full)}${'░'.repeat(10 - full)}`;
}

function duration(ms: number | null): string {
  if (ms === null) return '–';
  return ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
