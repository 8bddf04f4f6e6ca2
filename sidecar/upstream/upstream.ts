import type { Party, Requester } from '../message/exchange.ts';
import type { RequestHead } from '../message/head.ts';

/** One address and its connections. */
export interface Upstream {
  /**
   * Starts an exchange with the address; a `Handler` whose responder also tells how it travels. `fresh`: not
   * on a connection that lay idle, since the request has just met one that was closed.
   */
  open(head: RequestHead, requester: Requester, fresh?: boolean): UpstreamResponder;
  /** No new exchanges; running ones finish, idle connections close at once. */
  close(): void;
  readonly stats: UpstreamStats;
}

/** The responder of an upstream exchange. */
export interface UpstreamResponder extends Party {
  /** The request went out on a connection that had carried others before. */
  readonly reused: boolean;
  /** Clock time (`Clock.now()`) at which that connection opened; 0 while it is being opened. */
  readonly openedAt: number;
}

/** Plain counters, read by the admin API and metrics. */
export interface UpstreamStats {
  /** Open connections that carry an exchange, that wait for one, and that are being opened. */
  active: number;
  idle: number;
  connecting: number;
  /** Connections opened since the start. */
  opened: number;
  /** Exchanges waiting for a connection. */
  waiting: number;
  /** The peer's keep-alive time as learned from it, in milliseconds; null before the first sign. */
  learnedIdleMs: number | null;
}
