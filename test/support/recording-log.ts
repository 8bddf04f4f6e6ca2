import type { Log } from '../../telemetry/log.ts';

/** A process log that keeps its lines as `level: message`. */
export class RecordingLog implements Log {
  readonly lines: string[] = [];

  debug(): void {}

  info(_fields: object, message: string): void {
    this.lines.push(`info: ${message}`);
  }

  warn(_fields: object, message: string): void {
    this.lines.push(`warn: ${message}`);
  }

  error(_fields: object, message: string): void {
    this.lines.push(`error: ${message}`);
  }

  child(): Log {
    return this;
  }
}
