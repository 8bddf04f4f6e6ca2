import type { Timer } from './clock.ts';

const SLOTS = 1024;

/**
 * Timers in a ring of slots by due time: insert and cancel are O(1), whatever their number, which is
 * what one deadline per request needs (Varghese and Lauck 1987, scheme 6). Never fires early.
 */
export class TimerWheel {
  readonly #tickMs: number;
  readonly #slots: WheelTimer[];
  /** Number of the last tick that was turned. */
  #tick: number;
  #size = 0;

  constructor(tickMs: number, nowMs: number) {
    this.#tickMs = tickMs;
    this.#tick = Math.floor(nowMs / tickMs);
    this.#slots = Array.from({ length: SLOTS }, () => new WheelTimer(null, 0, null));
  }

  get size(): number {
    return this.#size;
  }

  insert(dueMs: number, callback: () => void): WheelTimer {
    const tick = Math.max(this.#tick + 1, Math.ceil(dueMs / this.#tickMs));
    const timer = new WheelTimer(callback, tick * this.#tickMs, this);
    timer.linkBefore(this.#slots[tick % SLOTS] as WheelTimer);
    this.#size++;
    return timer;
  }

  /** Earliest due time of the next turn of the ring, or its end if everything lies beyond; infinite when empty. */
  nextDueMs(): number {
    if (this.#size === 0) return Number.POSITIVE_INFINITY;
    for (let tick = this.#tick + 1; tick <= this.#tick + SLOTS; tick++) {
      const slot = this.#slots[tick % SLOTS] as WheelTimer;
      for (let timer = slot.next; timer !== slot; timer = timer.next) {
        if (timer.dueMs <= tick * this.#tickMs) return tick * this.#tickMs;
      }
    }
    return (this.#tick + SLOTS) * this.#tickMs;
  }

  /** Fires all that is due at `nowMs`, slot by slot; within one slot in order of insertion. */
  advance(nowMs: number): void {
    const last = Math.floor(nowMs / this.#tickMs);
    // After a long stall one turn of the ring visits every slot there is.
    let tick = Math.max(this.#tick + 1, last - SLOTS + 1);
    const limitMs = last * this.#tickMs;
    for (; tick <= last; tick++) {
      this.#tick = tick;
      const slot = this.#slots[tick % SLOTS] as WheelTimer;
      let timer = slot.next;
      while (timer !== slot) {
        const next = timer.next;
        if (timer.dueMs <= limitMs) {
          const due = timer.take();
          due?.();
          // The callback may have cancelled `next`: then start over, what is left is not due twice.
          timer = next.linked ? next : slot.next;
        } else {
          timer = next;
        }
      }
    }
    this.#tick = Math.max(this.#tick, last);
  }

  /** For `WheelTimer` alone. */
  removed(): void {
    this.#size--;
  }
}

class WheelTimer implements Timer {
  #callback: (() => void) | null;
  readonly #wheel: TimerWheel | null;
  readonly dueMs: number;
  next: WheelTimer = this;
  previous: WheelTimer = this;

  constructor(callback: (() => void) | null, dueMs: number, wheel: TimerWheel | null) {
    this.#callback = callback;
    this.dueMs = dueMs;
    this.#wheel = wheel;
  }

  /** In a slot, or the slot's own sentinel. */
  get linked(): boolean {
    return this.#wheel === null || this.#callback !== null;
  }

  linkBefore(anchor: WheelTimer): void {
    this.previous = anchor.previous;
    this.next = anchor;
    anchor.previous.next = this;
    anchor.previous = this;
  }

  /** Takes the timer out and gives its callback, null when it was out already. */
  take(): (() => void) | null {
    const callback = this.#callback;
    if (callback === null) return null;
    this.#callback = null;
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.#wheel?.removed();
    return callback;
  }

  cancel(): void {
    this.take();
  }
}
