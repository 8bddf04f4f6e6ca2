/** Takes text for a file or a pipe and never makes the caller wait. */
export interface Sink {
  /** Whole lines. What cannot be kept is dropped and reported as lost. */
  write(lines: string): void;
  /** Resolves when everything has been handed over, or after `timeoutMs`. Later writes are lost. */
  close(timeoutMs: number): Promise<void>;
}

/** Told of every lost line: the bound was reached, or the other end refused what it had been given. */
export type OnLost = (lines: number, reason: 'queue_full' | 'write_failed') => void;

/** Lines in a text whose lines all end. */
export function countLines(lines: string): number {
  let count = 0;
  for (let at = lines.indexOf('\n'); at !== -1; at = lines.indexOf('\n', at + 1)) count++;
  return count;
}
