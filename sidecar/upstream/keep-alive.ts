/** Idle limit until something is learned: 80 % of the 5 s after which Node's HTTP server closes. */
const FIRST_LIMIT_MS = 4000;

/** Share of the learned time after which a connection is retired: before the peer's FIN can cross a request. */
const SAFE_SHARE = 0.8;

/** Closes after less idle time say something about a crash or restart, not about a keep-alive limit. */
const MIN_OBSERVED_MS = 250;

/** Two closes agree within this share, and count only when they are this far apart: a restart closes all at once. */
const AGREEMENT = 0.1;
const APART_MS = 50;

/** An observed limit is forgotten after this time, in case the peer was configured anew. */
const REMEMBER_MS = 600_000;

/**
 * How long a peer keeps an idle connection: announced in `Keep-Alive: timeout`, or observed when it closed
 * two connections after about the same idle time. The smaller one holds.
 */
export class KeepAliveEstimate {
  #announcedMs = Number.POSITIVE_INFINITY;
  #observedMs = Number.POSITIVE_INFINITY;
  #observedAtMs = 0;
  #candidateMs = 0;
  #candidateAtMs = 0;

  announced(timeoutMs: number): void {
    this.#announcedMs = timeoutMs;
  }

  /** The peer closed a connection that had been idle for `idleMs`. */
  closedIdle(idleMs: number, nowMs: number): void {
    if (idleMs < MIN_OBSERVED_MS) return;
    const agrees = Math.abs(idleMs - this.#candidateMs) <= AGREEMENT * this.#candidateMs;
    if (agrees && nowMs - this.#candidateAtMs < APART_MS) return;
    if (agrees) {
      this.#observedMs = Math.min(idleMs, this.#candidateMs);
      this.#observedAtMs = nowMs;
    }
    this.#candidateMs = idleMs;
    this.#candidateAtMs = nowMs;
  }

  /** Milliseconds; null before the first sign. */
  learnedMs(nowMs: number): number | null {
    if (nowMs - this.#observedAtMs > REMEMBER_MS) this.#observedMs = Number.POSITIVE_INFINITY;
    const learned = Math.min(this.#announcedMs, this.#observedMs);
    return learned === Number.POSITIVE_INFINITY ? null : learned;
  }

  /** Idle time after which a connection is not used again. */
  limitMs(nowMs: number): number {
    const learned = this.learnedMs(nowMs);
    return learned === null ? FIRST_LIMIT_MS : learned * SAFE_SHARE;
  }
}
