import { type DiagLogger, DiagLogLevel, diag } from '@opentelemetry/api';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { DiagLevel } from './settings.ts';

const QUIET_MS = 60_000;
const MAX_MESSAGES = 64;
/** Messages are compared by their beginning: ids and stacks come later. */
const COMPARED = 80;

const LEVELS: Readonly<Record<DiagLevel, DiagLogLevel>> = {
  none: DiagLogLevel.NONE,
  error: DiagLogLevel.ERROR,
  warn: DiagLogLevel.WARN,
  info: DiagLogLevel.INFO,
  debug: DiagLogLevel.DEBUG,
  verbose: DiagLogLevel.VERBOSE,
  all: DiagLogLevel.ALL,
};

/** Sends the SDK's own diagnostics to the process log, the same message at most once a minute. */
export function followSdkDiagnostics(level: DiagLevel, log: Log, clock: Clock): void {
  const last = new Map<string, number>();
  const write =
    (to: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string): void => {
      const key = message.slice(0, COMPARED);
      const nowMs = clock.now();
      if (nowMs - (last.get(key) ?? Number.NEGATIVE_INFINITY) < QUIET_MS) return;
      if (last.size >= MAX_MESSAGES) last.clear();
      last.set(key, nowMs);
      log[to]({ component: 'opentelemetry' }, message);
    };
  const logger: DiagLogger = {
    error: write('error'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
    verbose: write('debug'),
  };
  diag.setLogger(logger, { logLevel: LEVELS[level], suppressOverrideMessage: true });
}
