import { randomFillSync } from 'node:crypto';
import type { RequestIds } from './scope.ts';

const POOL_IDS = 256;
/** What follows the time in a UUIDv7: `7xxx-yxxx-xxxxxxxxxxxx`. */
const TAIL_CHARACTERS = 22;

/** UUIDv7 (RFC 9562 §5.7) from a refilled pool of random tails; the time part is made once per millisecond. */
export class UuidV7 implements RequestIds {
  readonly #random = Buffer.allocUnsafe(POOL_IDS * TAIL_CHARACTERS);
  #pool = '';
  #at = 0;
  #timeMs = -1;
  #time = '';

  next(wallTimeMs: number): string {
    if (this.#at === this.#pool.length) this.#refill();
    const timeMs = Math.floor(wallTimeMs);
    if (timeMs !== this.#timeMs) {
      this.#timeMs = timeMs;
      const hex = timeMs.toString(16).padStart(12, '0');
      this.#time = `${hex.slice(0, 8)}-${hex.slice(8)}-`;
    }
    const at = this.#at;
    this.#at = at + TAIL_CHARACTERS;
    return this.#time + this.#pool.slice(at, this.#at);
  }

  #refill(): void {
    const bytes = randomFillSync(this.#random);
    for (let id = 0; id < bytes.length; id += TAIL_CHARACTERS) {
      const variant = VARIANTS[(bytes[id + 5] as number) & 3] as number;
      for (let at = id; at < id + TAIL_CHARACTERS; at++) {
        bytes[at] = HEX_DIGITS[(bytes[at] as number) & 15] as number;
      }
      bytes[id] = VERSION;
      bytes[id + 4] = DASH;
      bytes[id + 5] = variant;
      bytes[id + 9] = DASH;
    }
    this.#pool = bytes.toString('latin1');
    this.#at = 0;
  }
}

const VERSION = 0x37;
const DASH = 0x2d;
const HEX_DIGITS = Buffer.from('0123456789abcdef', 'latin1');
const VARIANTS = Buffer.from('89ab', 'latin1');
