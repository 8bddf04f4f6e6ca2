/** Decides about traces that begin here. */
export interface RootSampler {
  /** `outrigger.sampling.reason` of its decisions. */
  readonly reason: string;
  sample(traceId: string): boolean;
}

/** The same decision for every trace. */
export class ConstantSampler implements RootSampler {
  readonly reason: string;
  readonly #decision: boolean;

  constructor(decision: boolean) {
    this.#decision = decision;
    this.reason = decision ? 'always_on' : 'always_off';
  }

  sample(): boolean {
    return this.#decision;
  }
}

/**
 * A share of all traces, decided by the trace id, so that every sidecar with the same ratio decides alike.
 * Same arithmetic as the `TraceIdRatioBased` sampler of the OpenTelemetry SDK.
 */
export class RatioSampler implements RootSampler {
  readonly reason: string;
  readonly #bound: number;
  readonly #highBound: number;

  /** `ratio` 0–1. */
  constructor(ratio: number, reason = 'ratio') {
    this.reason = reason;
    this.#bound = ratio >= 1 ? 0x1_0000_0000 : Math.floor(Math.max(0, ratio) * 0xffff_ffff);
    this.#highBound = Math.floor(this.#bound / 0x100_0000);
  }

  sample(traceId: string): boolean {
    // The highest eight bits nearly always decide.
    const high = foldTraceId(traceId, 2) - this.#highBound;
    return high === 0 ? foldTraceId(traceId, 8) < this.#bound : high < 0;
  }
}

/** XOR of the first digits of the four 32-bit words of a trace id in lower-case hex; eight are the whole words. */
function foldTraceId(traceId: string, digits: number): number {
  let folded = 0;
  for (let at = 0; at < 32; at += 8) {
    let word = 0;
    for (let digit = 0; digit < digits; digit++) {
      const code = traceId.charCodeAt(at + digit);
      // 0x30–0x39 and 0x61–0x66 without a branch.
      word = (word << 4) | ((code & 15) + (code >> 6) * 9);
    }
    folded ^= word;
  }
  return folded >>> 0;
}
