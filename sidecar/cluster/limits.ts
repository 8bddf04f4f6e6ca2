import { Failure } from '../failure.ts';

/** Circuit breaker of a cluster: how many requests may be under way. */
export class Limits {
  readonly #name: string;
  maxRequests: number;
  /** Times that each limit was hit since the start; the last two are those of the connection pools. */
  readonly overflows = { maxRequests: 0, maxWaiting: 0, queueTimeoutMs: 0 };
  #active = 0;
  #onIdle: (() => void) | null = null;

  /** `name` of the cluster, for the evidence. */
  constructor(name: string, maxRequests: number) {
    this.#name = name;
    this.maxRequests = maxRequests;
  }

  /** Requests that entered and have not left; may exceed a limit that was lowered meanwhile. */
  get active(): number {
    return this.#active;
  }

  /** True: the request counts until `leave` is called, once. */
  tryEnter(): boolean {
    if (this.#active >= this.maxRequests) {
      this.overflows.maxRequests++;
      return false;
    }
    this.#active++;
    return true;
  }

  /** Counts a failed attempt that got no connection because a pool was at its limit. */
  attemptFailed({ evidence }: Failure): void {
    const { limit } = evidence;
    if (limit === 'maxWaiting' || limit === 'queueTimeoutMs') this.overflows[limit]++;
  }

  leave(): void {
    this.#active--;
    if (this.#active === 0 && this.#onIdle !== null) this.#becomeIdle(this.#onIdle);
  }

  /** Calls back once no request is under way; at once if none is. */
  whenIdle(callback: () => void): void {
    if (this.#active === 0) callback();
    else this.#onIdle = callback;
  }

  /** Answer for a request that could not enter: names the limit, its key and the present count. */
  overflow(): Failure {
    return new Failure(
      'overflow',
      `${this.#active} requests to ${this.#name} are in flight, limits.maxRequests is ${this.maxRequests}`,
      {
        service: this.#name,
        limit: 'maxRequests',
        key: 'limits.maxRequests',
        max: this.maxRequests,
        active: this.#active,
      },
    );
  }

  #becomeIdle(callback: () => void): void {
    this.#onIdle = null;
    callback();
  }
}
