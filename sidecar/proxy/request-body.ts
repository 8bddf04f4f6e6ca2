import type { Requester, Responder } from '../message/exchange.ts';
import type { HeaderBlock } from '../message/head.ts';
import { Replay } from '../retry/replay.ts';

/** Kept while no attempt takes the body, before the downstream is told to wait. */
const WAITING_BYTES = 65_536;
/** What may still come after that: the rest of a read, and of what a codec had buffered. */
const SLACK_BYTES = 131_072;

/**
 * The request body on its way to whichever attempt is live. A bounded copy is kept for as long as another
 * attempt may need it from the start; while no attempt is live everything is kept and the downstream waits.
 */
export class RequestBody {
  readonly #downstream: Requester;
  readonly #replayBytes: number;
  #upstream: Responder | null = null;
  #copy: Replay | null = null;
  /** No other attempt will follow. */
  #released = false;
  #ended = false;
  #trailers: HeaderBlock | null = null;
  /** The downstream was told to wait and has not been told to go on. */
  #held = false;
  #received = 0;

  /** `replayBytes`: bodies up to this length can be sent again; 0 for none but empty ones. */
  constructor(downstream: Requester, replayBytes: number) {
    this.#downstream = downstream;
    this.#replayBytes = replayBytes;
  }

  /** Everything so far can be sent again from the start. */
  get replayable(): boolean {
    return this.#received === 0 || (this.#copy?.intact ?? false);
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Bytes so far. */
  get received(): number {
    return this.#received;
  }

  data(bytes: Buffer): boolean {
    this.#received += bytes.length;
    const upstream = this.#upstream;
    if (upstream === null) {
      this.#keep(bytes);
      this.#held = this.#received >= WAITING_BYTES;
    } else {
      if (!this.#released) {
        if (this.#received <= this.#replayBytes) this.#keep(bytes);
        else this.release();
      }
      this.#held = !upstream.data(bytes);
    }
    return !this.#held;
  }

  end(trailers: HeaderBlock | null): void {
    this.#ended = true;
    this.#trailers = trailers;
    this.#upstream?.end(trailers);
  }

  /** Sends what is kept to a new attempt and passes on what follows. */
  attach(upstream: Responder): void {
    this.#upstream = upstream;
    const room = this.#copy === null || this.#copy.send(upstream);
    // Each attempt gets fields of its own, since a codec may edit them.
    if (this.#ended) upstream.end(this.#trailers?.copy() ?? null);
    if (this.#received > this.#replayBytes) this.release();
    if (room) this.room();
  }

  /** No attempt is live: keep what comes. */
  detach(): void {
    this.#upstream = null;
  }

  /** No other attempt will follow: the copy is freed. */
  release(): void {
    this.#released = true;
    this.#copy?.drop();
  }

  /** The live attempt takes more. */
  room(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#downstream.resume();
  }

  #keep(bytes: Buffer): void {
    this.#copy ??= new Replay(Math.max(this.#replayBytes, WAITING_BYTES) + SLACK_BYTES);
    this.#copy.append(bytes);
  }
}
