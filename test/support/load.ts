import { Agent, request } from 'node:http';

/** One call that did not end in a 2xx. */
export interface FailedCall {
  readonly atMs: number;
  readonly what: string;
}

export interface LoadResult {
  readonly sent: number;
  readonly succeeded: number;
  readonly failed: readonly FailedCall[];
  /** Responses by the value of their `x-instance` field. */
  readonly byInstance: ReadonlyMap<string, number>;
}

/**
 * Steady GETs at a fixed rate, sent when they are due whether or not earlier ones have been answered.
 * `stop` waits for those under way.
 */
export class Load {
  readonly #url: URL;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 });
  readonly #failed: FailedCall[] = [];
  readonly #byInstance = new Map<string, number>();
  readonly #open = new Set<Promise<void>>();
  readonly #start = performance.now();
  readonly #timer: NodeJS.Timeout;
  #sent = 0;
  #succeeded = 0;

  constructor(url: string, perSecond: number) {
    this.#url = new URL(url);
    this.#timer = setInterval(() => {
      const due = ((performance.now() - this.#start) / 1000) * perSecond;
      while (this.#sent < due) this.#send();
    }, 5);
  }

  /** Calls sent so far. */
  get sent(): number {
    return this.#sent;
  }

  async stop(): Promise<LoadResult> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
    this.#agent.destroy();
    return {
      sent: this.#sent,
      succeeded: this.#succeeded,
      failed: this.#failed,
      byInstance: this.#byInstance,
    };
  }

  #send(): void {
    this.#sent++;
    const call = this.#call().finally(() => this.#open.delete(call));
    this.#open.add(call);
  }

  #call(): Promise<void> {
    return new Promise((resolve) => {
      const fail = (what: string): void => {
        this.#failed.push({ atMs: Math.round(performance.now() - this.#start), what });
        resolve();
      };
      const call = request(this.#url, { agent: this.#agent, timeout: 20_000 }, (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          if (body.length < 2000) body += part;
        });
        response.on('aborted', () => fail('the response broke off'));
        response.on('end', () => {
          const status = response.statusCode ?? 0;
          if (status < 200 || status > 299) return fail(`${status} ${body}`);
          const instance = String(response.headers['x-instance'] ?? '');
          this.#byInstance.set(instance, (this.#byInstance.get(instance) ?? 0) + 1);
          this.#succeeded++;
          resolve();
        });
      });
      call.on('timeout', () => call.destroy(new Error('no answer in 20 s')));
      call.on('error', (error) => fail(error.message));
      call.end();
    });
  }
}

/** For the message of an assertion: the first failures of a run. */
export function failures(result: LoadResult): string {
  const shown = result.failed.slice(0, 5).map(({ atMs, what }) => `at ${atMs} ms: ${what}`);
  return `${result.failed.length} of ${result.sent} calls failed\n${shown.join('\n')}`;
}
