import { networkInterfaces } from 'node:os';
import { Failure } from '../failure.ts';
import type { Requester } from '../message/exchange.ts';
import type { RequestHead } from '../message/head.ts';
import type { Upstream, UpstreamResponder, UpstreamStats } from './upstream.ts';

/** Addresses of this machine that no interface lists. */
const LOCAL = new Set(['localhost', '0.0.0.0', '::', '::1']);

/** Whether an address leads back to this machine; names other than `localhost` are not resolved here. */
export function isLocalAddress(address: string): boolean {
  if (LOCAL.has(address) || address.startsWith('127.')) return true;
  for (const addresses of Object.values(networkInterfaces())) {
    if (addresses?.some((own) => own.address === address) === true) return true;
  }
  return false;
}

/**
 * Stands for an endpoint that is a port of this very sidecar: a request sent there would come back for ever.
 * Every exchange fails with `loop_detected` and nothing is connected.
 */
export class LoopUpstream implements Upstream {
  readonly #detail: string;
  readonly stats: UpstreamStats = {
    active: 0,
    idle: 0,
    connecting: 0,
    opened: 0,
    waiting: 0,
    learnedIdleMs: null,
  };

  /** `listener`: the name of the port that the endpoint is. */
  constructor(address: string, port: number, listener: string) {
    this.#detail = `${address}:${port} is the port ${listener} of this sidecar`;
  }

  open(_head: RequestHead, requester: Requester): UpstreamResponder {
    queueMicrotask(() => requester.abort(new Failure('loop_detected', this.#detail)));
    return ended;
  }

  close(): void {
    // Nothing is open.
  }
}

const ended: UpstreamResponder = {
  reused: false,
  openedAt: 0,
  data: () => true,
  end: () => undefined,
  abort: () => undefined,
  resume: () => undefined,
};
