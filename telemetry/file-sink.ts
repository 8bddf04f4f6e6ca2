import { close, write } from 'node:fs';
import { countLines, type OnLost, type Sink } from './sink.ts';

/** How a descriptor is written; tests put a slow or full disk here. */
export interface FileWriter {
  write(
    descriptor: number,
    bytes: Buffer,
    done: (error: Error | null, written: number) => void,
  ): void;
  close(descriptor: number, done: () => void): void;
}

/**
 * Appends to a file with one asynchronous write in flight; what comes meanwhile waits, up to
 * `boundBytes`. A failed write (disk full) loses its lines, and the next one is tried again.
 */
export class FileSink implements Sink {
  readonly #descriptor: number;
  readonly #owned: boolean;
  readonly #boundBytes: number;
  readonly #onLost: OnLost;
  readonly #writer: FileWriter;
  #waiting = '';
  #inFlight = '';
  #closed = false;
  #onIdle: (() => void) | null = null;

  /** `owned`: the descriptor is closed with the sink. */
  constructor(
    descriptor: number,
    owned: boolean,
    boundBytes: number,
    onLost: OnLost,
    writer: FileWriter = fileWriter,
  ) {
    this.#descriptor = descriptor;
    this.#owned = owned;
    this.#boundBytes = boundBytes;
    this.#onLost = onLost;
    this.#writer = writer;
  }

  write(lines: string): void {
    // Characters stand for bytes here: log lines are ASCII but for what operators configured.
    if (this.#closed) this.#onLost(countLines(lines), 'write_failed');
    else if (this.#waiting.length + this.#inFlight.length >= this.#boundBytes) {
      this.#onLost(countLines(lines), 'queue_full');
    } else {
      this.#waiting += lines;
      if (this.#inFlight === '') this.#writeNext();
    }
  }

  async close(timeoutMs: number): Promise<void> {
    this.#closed = true;
    if (this.#inFlight !== '') {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    // A write still in flight keeps its descriptor, or it would hit whatever gets the number next.
    if (!this.#owned || this.#inFlight !== '') return;
    await new Promise<void>((resolve) => this.#writer.close(this.#descriptor, resolve));
  }

  #writeNext(): void {
    this.#inFlight = this.#waiting;
    this.#waiting = '';
    this.#writeRest(Buffer.from(this.#inFlight, 'utf8'));
  }

  #writeRest(bytes: Buffer): void {
    this.#writer.write(this.#descriptor, bytes, (error, written) => {
      if (error === null && written < bytes.length) {
        this.#writeRest(bytes.subarray(written));
        return;
      }
      if (error !== null) this.#onLost(countLines(this.#inFlight), 'write_failed');
      this.#inFlight = '';
      if (this.#waiting !== '') this.#writeNext();
      else this.#onIdle?.();
    });
  }
}

const fileWriter: FileWriter = {
  write(descriptor, bytes, done) {
    write(descriptor, bytes, 0, bytes.length, null, done);
  },
  close(descriptor, done) {
    close(descriptor, () => done());
  },
};
