import { Failure } from '../failure.ts';

/** Circuit breaker of a cluster: how many requests may be under way. */
export class Limits {
  readonly #name: string;
  maxRequests: number;
  #active = 0;
  #overflows = 0;
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

  /** Requests refused since the start. */
  get overflows(): number {
    return this.#overflows;
  }

  /** True: the request counts until `leave` is called, once. */
  tryEnter(): boolean {
    if (this.#active >= this.maxRequests) {
      this.#overflows++;
      return false;
    }
    this.#active++;
    return true;
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
