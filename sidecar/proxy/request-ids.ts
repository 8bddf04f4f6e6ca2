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
    for (let i = 0; i < bytes.length; i++) {
      bytes[i] = characterAt(i % TAIL_CHARACTERS, bytes[i] as number);
    }
    this.#pool = bytes.toString('latin1');
    this.#at = 0;
  }
}

/** Version, dashes and variant have their places; elsewhere a hex digit of four random bits. */
function characterAt(place: number, random: number): number {
  switch (place) {
    case 0:
      return VERSION;
    case 4:
    case 9:
      return DASH;
    case 5:
      return HEX_DIGITS.charCodeAt(8 | (random & 3));
    default:
      return HEX_DIGITS.charCodeAt(random & 15);
  }
}

const VERSION = 0x37;
const DASH = 0x2d;
const HEX_DIGITS = '0123456789abcdef';
