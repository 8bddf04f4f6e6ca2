import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock, Timer } from '../../telemetry/clock.ts';

/** Editors and Kubernetes write in several steps: this long after the last one the file is looked at. */
const DEBOUNCE_MS = 200;
/** Where the kernel says nothing (network file systems, no watches left) the file is still looked at. */
const POLL_MS = 5000;

/**
 * Calls back when a file has become another one: written in place, replaced by a rename, or reached
 * through a symbolic link that was swapped (Kubernetes' `..data`). The folder is watched, not the
 * file, because a rename takes the file away. What counts is what `stat` says, so that noise in the
 * folder calls nobody.
 */
export class FileWatch {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  #watcher: FSWatcher | null = null;
  #debounce: Timer | null = null;
  #poll: Timer | null = null;
  #stamp: string | null = null;
  #closed = false;

  constructor(path: string, clock: Clock, onChange: () => void) {
    this.#path = path;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** Remembers the file as it is now and begins to watch. */
  async start(): Promise<void> {
    this.#stamp = await stampOf(this.#path);
    if (this.#closed) return;
    this.#schedulePoll();
    try {
      this.#watcher = watch(dirname(this.#path), { persistent: false }, () => this.#soon());
      // The folder went away or watches ran out: polling goes on.
      this.#watcher.on('error', () => this.#unwatch());
    } catch {
      this.#watcher = null;
    }
  }

  close(): void {
    this.#closed = true;
    this.#unwatch();
    this.#debounce?.cancel();
    this.#poll?.cancel();
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }

  #soon(): void {
    this.#debounce?.cancel();
    if (!this.#closed) this.#debounce = this.#clock.schedule(DEBOUNCE_MS, () => void this.#look());
  }

  #schedulePoll(): void {
    this.#poll = this.#clock.schedule(POLL_MS, () => {
      this.#schedulePoll();
      void this.#look();
    });
  }

  async #look(): Promise<void> {
    const stamp = await stampOf(this.#path);
    // Between the steps of a replacement there may be no file: the next step brings another event.
    if (this.#closed || stamp === null || stamp === this.#stamp) return;
    this.#stamp = stamp;
    this.#onChange();
  }
}

/** What tells one content from another without reading it; null when there is no file. */
async function stampOf(path: string): Promise<string | null> {
  try {
    const found = await stat(path, { bigint: true });
    return `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}:${found.ctimeNs}`;
  } catch {
    return null;
  }
}
