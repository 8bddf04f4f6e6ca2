import { randomFillSync } from 'node:crypto';
import type { RequestIds } from './scope.ts';

const POOL_IDS = 256;
/** Random hex digits of one UUIDv7: 74 random bits, rounded up. */
const DIGITS = 20;

/** UUIDv7 (RFC 9562 §5.7) from a refilled pool of random bytes; the time part is made once per millisecond. */
export class UuidV7 implements RequestIds {
  readonly #bytes = Buffer.allocUnsafe((POOL_IDS * DIGITS) / 2);
  #pool = '';
  #at = 0;
  #timeMs = -1;
  #time = '';

  next(wallTimeMs: number): string {
    if (this.#at === this.#pool.length) {
      this.#pool = randomFillSync(this.#bytes).toString('hex');
      this.#at = 0;
    }
    const timeMs = Math.floor(wallTimeMs);
    if (timeMs !== this.#timeMs) {
      this.#timeMs = timeMs;
      const hex = timeMs.toString(16).padStart(12, '0');
      this.#time = `${hex.slice(0, 8)}-${hex.slice(8)}-7`;
    }
    const at = this.#at;
    this.#at = at + DIGITS;
    const pool = this.#pool;
    const variant = VARIANTS[pool.charCodeAt(at) & 3] as string;
    return `${this.#time}${pool.slice(at + 1, at + 4)}-${variant}${pool.slice(at + 4, at + 7)}-${pool.slice(at + 7, at + 19)}`;
  }
}

const VARIANTS = ['8', '9', 'a', 'b'];
