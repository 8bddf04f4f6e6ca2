import type { Clock, Timer } from './clock.ts';
import { type Explanations, jsonLine } from './json-line.ts';
import type { AccessLogOptions } from './options.ts';
import { failed } from './outcome.ts';
import type { RequestRecord } from './record.ts';
import type { Sink } from './sink.ts';
import { clfLine, envoyLine } from './text-line.ts';

const BATCH_CHARACTERS = 16_384;
const BATCH_MS = 100;

/** One line per request, in batches of 16 KiB or 100 ms, through a sink that never blocks. */
export class AccessLog {
  readonly #options: AccessLogOptions;
  readonly #sink: Sink;
  readonly #clock: Clock;
  readonly #explain: Explanations;
  #batch = '';
  #timer: Timer | null = null;

  constructor(options: AccessLogOptions, sink: Sink, clock: Clock, explain: Explanations) {
    this.#options = options;
    this.#sink = sink;
    this.#clock = clock;
    this.#explain = explain;
  }

  /** `traced`: spans of this request are exported. */
  write(request: RequestRecord, traced: boolean): void {
    const { filter, format, rawPath } = this.#options;
    if (filter === 'none') return;
    if (filter === 'errors' && !failed(request)) return;
    if (filter === 'sampled' && !traced) return;
    this.#batch +=
      format === 'json'
        ? jsonLine(request, rawPath, this.#explain)
        : format === 'envoy'
          ? envoyLine(request, rawPath)
          : clfLine(request, rawPath);
    if (this.#batch.length >= BATCH_CHARACTERS) this.flush();
    else this.#timer ??= this.#clock.schedule(BATCH_MS, () => this.flush());
  }

  /** Hands the batch to the sink now. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#batch === '') return;
    this.#sink.write(this.#batch);
    this.#batch = '';
  }
}
