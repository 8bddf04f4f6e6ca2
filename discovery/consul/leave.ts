import type { Clock } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { pause } from '../pause.ts';
import type { CallOutcome } from './client.ts';

const ATTEMPTS = 3;
const GAP_MS = 250;
/** After this long no attempt is added: a Consul that hangs must not hold up the end of the process. */
const MAX_RETRYING_MS = 2_000;

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
  const startMs = clock.now();
  for (let attempt = 1; ; attempt++) {
    const outcome = await call();
    if (outcome.ok || outcome.status === 404) return true;
    const enough = attempt === ATTEMPTS || clock.now() - startMs > MAX_RETRYING_MS;
    if (outcome.status !== null || enough) {
      log.warn({ id, step, reason: outcome.error.message }, 'cannot leave consul in order');
      return false;
    }
    await pause(clock, GAP_MS * attempt, never);
  }
}

const never = new AbortController().signal;
