import type { Clock } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { ConsulClient } from './client.ts';
import { leave } from './leave.ts';
import type { Membership, MembershipStatus } from './membership.ts';

export interface AttachmentParts {
  /** Id of a service that someone else registers at the local agent: Nomad, a file. */
  readonly id: string;
  readonly client: ConsulClient;
  readonly clock: Clock;
  readonly log: Log;
}

/** How our own maintenance is told from an operator's. */
const OUR_REASON = 'outrigger: ';

/**
 * Membership of an instance that is registered by its owner: nothing is registered or removed here.
 * Leaving puts it into maintenance; the next start lifts that again, and only that.
 */
export class Attachment implements Membership {
  readonly #parts: AttachmentParts;
  #registered = false;
  #lastError: string | null = null;

  constructor(parts: AttachmentParts) {
    this.#parts = parts;
  }

  async start(): Promise<boolean> {
    const { client, id, log } = this.#parts;
    const checks = await client.checks();
    if (!checks.ok) {
      this.#lastError = checks.error.message;
      log.warn({ id, reason: this.#lastError }, 'cannot ask consul about the attached service');
      return false;
    }
    this.#registered = true;
    if (!isOurs(checks.value[`_service_maintenance:${id}`])) return true;
    return leave('maintenance', id, () => client.maintenance(id, false, ''), this.#parts);
  }

  maintain(reason: string): Promise<boolean> {
    const { client, id } = this.#parts;
    const call = () => client.maintenance(id, true, OUR_REASON + reason);
    return leave('maintenance', id, call, this.#parts);
  }

  deregister(): Promise<boolean> {
    this.#registered = false;
    return Promise.resolve(true);
  }

  status(): MembershipStatus {
    return { registered: this.#registered, canRead: null, lastError: this.#lastError };
  }
}

function isOurs(check: unknown): boolean {
  const notes = (check as { readonly Notes?: unknown } | undefined)?.Notes;
  return typeof notes === 'string' && notes.startsWith(OUR_REASON);
}
