import { countLines, type OnLost, type Sink } from './sink.ts';

/** The part of a Node stream that the sink uses; `process.stdout` is one. */
export interface SinkStream {
  readonly writableLength: number;
  readonly writable: boolean;
  write(text: string): boolean;
  on(event: 'error', listener: (error: Error) => void): unknown;
  once(event: 'drain', listener: () => void): unknown;
}

/**
 * Writes to a pipe, socket or terminal for as long as fewer than `boundBytes` wait in the stream. A
 * stream that failed, such as a closed pipe, takes nothing any more.
 */
export class StreamSink implements Sink {
  readonly #stream: SinkStream;
  readonly #boundBytes: number;
  readonly #onLost: OnLost;
  #over = false;
  #onOver: (() => void) | null = null;

  constructor(stream: SinkStream, boundBytes: number, onLost: OnLost) {
    this.#stream = stream;
    this.#boundBytes = boundBytes;
    this.#onLost = onLost;
    // Without a listener a closed pipe would end the process.
    stream.on('error', () => {
      this.#over = true;
      this.#onOver?.();
    });
  }

  write(lines: string): void {
    const stream = this.#stream;
    if (this.#over || !stream.writable) this.#onLost(countLines(lines), 'write_failed');
    else if (stream.writableLength >= this.#boundBytes) {
      this.#onLost(countLines(lines), 'queue_full');
    } else stream.write(lines);
  }

  close(timeoutMs: number): Promise<void> {
    const stream = this.#stream;
    const nothingWaits = this.#over || !stream.writable || stream.writableLength === 0;
    this.#over = true;
    if (nothingWaits) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#onOver = () => {
        clearTimeout(timer);
        resolve();
      };
      stream.once('drain', this.#onOver);
    });
  }
}
