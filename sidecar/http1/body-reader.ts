import type { Party } from '../message/exchange.ts';
import type { HeaderBlock } from '../message/head.ts';
import { ChunkedDecoder } from './chunked.ts';
import { CHUNKED, UNTIL_CLOSE } from './framing.ts';
import type { Http1Limits } from './limits.ts';
import type { Refusal } from './refusal.ts';

/** Reads one body after another off a connection and hands it to a party, never a byte too many. */
export class BodyReader {
  readonly #limits: Http1Limits;
  #chunked: ChunkedDecoder | null = null;
  #framing = 0;
  #left = 0;
  /** The sink asked to wait during the last `read`. */
  blocked = false;

  constructor(limits: Http1Limits) {
    this.#limits = limits;
  }

  /** Begins a body of that many bytes, or `CHUNKED` or `UNTIL_CLOSE`. */
  start(framing: number): void {
    this.#framing = framing;
    this.#left = framing;
    if (framing !== CHUNKED) return;
    if (this.#chunked === null) this.#chunked = new ChunkedDecoder(this.#limits);
    this.#chunked.start();
  }

  /** The last byte has been read; never true of a body that ends with its connection. */
  get done(): boolean {
    if (this.#framing === CHUNKED) return (this.#chunked as ChunkedDecoder).done;
    return this.#left === 0;
  }

  /** The end of the connection is the end of this body. */
  get untilClose(): boolean {
    return this.#framing === UNTIL_CLOSE;
  }

  get trailers(): HeaderBlock | null {
    return this.#framing === CHUNKED ? (this.#chunked as ChunkedDecoder).trailers : null;
  }

  get refused(): Refusal {
    return this.#chunked?.refused as Refusal;
  }

  /** Reads from `from`. Returns the position reached, which is the end unless `done`, or `REFUSED`. */
  read(bytes: Buffer, from: number, sink: Party): number {
    if (this.#framing === CHUNKED) {
      const chunked = this.#chunked as ChunkedDecoder;
      const at = chunked.read(bytes, from, sink);
      this.blocked = chunked.blocked;
      return at;
    }
    const end =
      this.#framing === UNTIL_CLOSE ? bytes.length : Math.min(bytes.length, from + this.#left);
    this.blocked = false;
    if (end === from) return end;
    if (this.#framing !== UNTIL_CLOSE) this.#left -= end - from;
    const piece = from === 0 && end === bytes.length ? bytes : bytes.subarray(from, end);
    if (!sink.data(piece)) this.blocked = true;
    return end;
  }
}
