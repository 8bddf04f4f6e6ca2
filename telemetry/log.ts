import { pino } from 'pino';
import type { Sink } from './sink.ts';

/**
 * The process log: events a person acts on, as fields and one sentence. pino is one. Never called per
 * request, and wire text goes into fields, where it is escaped.
 */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A log whose lines all carry these fields. */
  child(fields: object): Log;
}

/** From everything to nothing. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** The process log as JSON lines in pino's format, through a sink that never blocks. */
export function createLog(level: LogLevel, sink: Sink): Log {
  return pino({ level, base: null }, sink);
}
