import type { Clock } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { pause } from '../pause.ts';
import type { CallOutcome } from './client.ts';

const ATTEMPTS = 3;
const GAP_MS = 250;

/**
 * Makes one step of leaving, a few times where Consul does not answer, as the process is about to end
 * either way. True when it is done, also when Consul does not know the instance any more.
 */
export async function leave(
  step: 'maintenance' | 'deregister',
  id: string,
  call: () => Promise<CallOutcome<unknown>>,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await call();
    if (outcome.ok || outcome.status === 404) return true;
    if (outcome.status !== null || attempt === ATTEMPTS) {
      log.warn({ id, step, reason: outcome.error.message }, 'cannot leave consul in order');
      return false;
    }
    await pause(clock, GAP_MS * attempt, never);
  }
}

const never = new AbortController().signal;
