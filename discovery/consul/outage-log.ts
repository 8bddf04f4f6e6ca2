import type { Clock } from '../../telemetry/clock.ts';
import type { Log } from '../../telemetry/log.ts';

const MIN_GAP_MS = 60_000;

/**
 * Says once that Consul does not answer and once that it does again, however many watches notice it
 * and however long it lasts; a registry that comes and goes is mentioned at most once a minute.
 */
export class OutageLog {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #failing = new Set<string>();
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #sinceMs = 0;
  #said = false;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  failed(service: string, error: Error): void {
    if (this.#failing.size === 0) this.#sinceMs = this.#clock.now();
    this.#failing.add(service);
    if (this.#said || this.#clock.now() - this.#saidAtMs < MIN_GAP_MS) return;
    this.#said = true;
    this.#saidAtMs = this.#clock.now();
    this.#log.warn(
      { service, reason: error.message },
      'consul is not available, the last known endpoints stay in use',
    );
  }

  answered(service: string): void {
    if (!this.#failing.delete(service) || this.#failing.size > 0 || !this.#said) return;
    this.#said = false;
    this.#log.info(
      { outageMs: Math.round(this.#clock.now() - this.#sinceMs) },
      'consul is available again',
    );
  }

  /** The service is not followed any more. */
  forget(service: string): void {
    this.#failing.delete(service);
    if (this.#failing.size === 0) this.#said = false;
  }
}
