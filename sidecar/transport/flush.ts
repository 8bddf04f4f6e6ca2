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
  /** The first `#count` places are in use; they are kept, since the list fills and empties with every read. */
  readonly #dirty: (Flushable | null)[] = [];
  #count = 0;
  #inside = false;
  #scheduled = false;

  /** The caller adds an output once, and again only after its `flush`. */
  add(output: Flushable): void {
    this.#dirty[this.#count++] = output;
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
    if (this.#count > 0) this.#flush();
  }

  #flush(): void {
    const dirty = this.#dirty;
    // The count is read anew: a flush may make another output dirty.
    for (let i = 0; i < this.#count; i++) {
      const output = dirty[i] as Flushable | null;
      dirty[i] = null;
      output?.flush();
    }
    this.#count = 0;
  }

  readonly #onTick = (): void => {
    this.#scheduled = false;
    this.#flush();
  };
}

/** The list of the process: one event loop, one list. */
export const outputs = new FlushList();
