/** Something with output that waits to leave. */
export interface Flushable {
  /** Never throws. */
  flush(): void;
}

/**
 * Outputs written to since the last flush. What a read callback wrote leaves when that callback ends;
 * what was written outside of one leaves before the event loop goes on.
 */
export class FlushList {
  readonly #dirty: Flushable[] = [];
  #inside = false;
  #scheduled = false;

  /** The caller adds an output once, and again only after its `flush`. */
  add(output: Flushable): void {
    this.#dirty.push(output);
    if (this.#inside || this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(this.#onTick);
  }

  /** Called as a socket's callback begins. */
  enter(): void {
    this.#inside = true;
  }

  /** Called as that callback ends: everything written in it leaves now. */
  leave(): void {
    this.#inside = false;
    if (this.#dirty.length > 0) this.#flush();
  }

  #flush(): void {
    const dirty = this.#dirty;
    // Length is read anew: a flush may make another output dirty.
    for (let i = 0; i < dirty.length; i++) dirty[i]?.flush();
    dirty.length = 0;
  }

  readonly #onTick = (): void => {
    this.#scheduled = false;
    this.#flush();
  };
}

/** The list of the process: one event loop, one list. */
export const outputs = new FlushList();
