import type { Clock } from '../../telemetry/clock.ts';

/** Looks in a row at which nothing had moved, so that at least two whole intervals lie between them. */
const STILL_LOOKS = 3;

/** Told once, when nothing has moved for the limit. */
export interface SilenceOwner {
  silentForTooLong(): void;
}

/** Something that is to move, in a list of its kind. A byte costs one addition, neither a timer nor a look at the clock. */
export class Motion {
  readonly #owner: SilenceOwner | null;
  moves = 0;
  seen = -1;
  still = 0;
  next: Motion = this;
  previous: Motion = this;

  constructor(owner: SilenceOwner | null) {
    this.#owner = owner;
  }

  end(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.next = this.previous = this;
  }

  /** True when it has been silent for too long. */
  look(): boolean {
    this.still = this.moves === this.seen ? this.still + 1 : 1;
    this.seen = this.moves;
    return this.still >= STILL_LOOKS;
  }

  silent(): void {
    this.end();
    this.#owner?.silentForTooLong();
  }
}

/**
 * Longest time in which nothing moves, for all exchanges of a route together: one timer looks at them
 * twice in that time. Silence is noticed after the limit, and before one and a half times as much.
 */
export class SilenceLimit {
  /** 0: off. */
  readonly ms: number;
  readonly #clock: Clock;
  readonly #all = new Motion(null);
  #looking = false;

  constructor(ms: number, clock: Clock) {
    this.ms = ms;
    this.#clock = clock;
  }

  watch(motion: Motion): void {
    if (this.ms <= 0) return;
    const last = this.#all.previous;
    motion.previous = last;
    motion.next = this.#all;
    last.next = motion;
    this.#all.previous = motion;
    if (!this.#looking) this.#lookLater();
  }

  #lookLater(): void {
    this.#looking = true;
    this.#clock.schedule(this.ms / 2, () => this.#look());
  }

  #look(): void {
    this.#looking = false;
    const silent: Motion[] = [];
    for (let motion = this.#all.next; motion !== this.#all; motion = motion.next) {
      if (motion.look()) silent.push(motion);
    }
    for (const motion of silent) motion.silent();
    if (this.#all.next !== this.#all && !this.#looking) this.#lookLater();
  }
}
