import { findPeer } from '../../test/tools/peers.mjs';
import { closedLoop } from './closed-loop.ts';
import type { SaturationLoad, SaturationResult } from './saturation-load.ts';
import { runWrk } from './wrk.ts';

/**
 * Keeps every connection busy, with wrk (one thread) or, where there is none, from this process, which leaves less of the
 * machine to the subject. Throws when an answer was not right: such a run measures something else.
 */
export function saturate(load: SaturationLoad): Promise<SaturationResult> {
  const wrk = findPeer('wrk');
  return wrk === null ? closedLoop(load) : runWrk(wrk, load);
}
