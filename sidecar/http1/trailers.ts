import type { HeaderBlock } from '../message/head.ts';
import { FIELD_STRIDE, REMOVED, ReceivedHeaders } from '../message/headers.ts';
import { isHeadOnly, isLookAlike } from '../message/names.ts';
import { foldAscii } from '../message/octets.ts';
import { FieldLines, REFUSED } from './field-lines.ts';
import type { Http1Limits } from './limits.ts';
import { type Refusal, refusal } from './refusal.ts';

const LONG_TRAILERS = refusal('the trailers are over their limit');
const LOOK_ALIKE = refusal('a trailer name imitates a framing, Host or identity field');

/** How trailers that are refused before they are complete are explained. */
export const trailerRefusals = { LONG_TRAILERS } as const;

const lines = new FieldLines();

/**
 * Reads a trailer section up to and with its empty line. Fields that must not come late are dropped
 * (RFC 9110 §6.5.1): framing, routing, authentication, cookie, content, connection.
 */
export class TrailerParser {
  readonly #limits: Http1Limits;
  /** Null when no field is left. */
  trailers: HeaderBlock | null = null;
  refused: Refusal | null = null;

  constructor(limits: Http1Limits) {
    this.#limits = limits;
  }

  parse(bytes: Buffer, from: number, end: number): number {
    const limits = this.#limits;
    const behind = lines.read(bytes, from, from, end, limits.maxLineBytes, limits.maxTrailerFields);
    if (behind < 0) {
      this.refused =
        lines.refused !== null && lines.refused.limit !== null ? LONG_TRAILERS : lines.refused;
      return behind;
    }
    if (behind - from > limits.maxTrailerBytes) return this.#refuse(LONG_TRAILERS);
    const text = bytes.toString('latin1', from, behind);
    const offsets = lines.copy();
    let kept = 0;
    for (let i = 0; i < lines.used; i += FIELD_STRIDE) {
      const name = text.slice(offsets[i], offsets[i + 1]);
      if (isLookAlike(name)) return this.#refuse(LOOK_ALIKE);
      if (isHeadOnly(foldAscii(name))) offsets[i + 2] = REMOVED;
      else kept++;
    }
    this.trailers = kept === 0 ? null : new ReceivedHeaders(text, offsets, lines.mask);
    return behind;
  }

  #refuse(reason: Refusal): number {
    this.refused = reason;
    return REFUSED;
  }
}
