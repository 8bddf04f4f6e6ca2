import { get, type IncomingMessage } from 'node:http';
import { get as getSecurely } from 'node:https';
import type { Clock, Timer } from './clock.ts';
import type { Log } from './log.ts';
import { RatioSampler, type RootSampler } from './sampler.ts';

/** Most of an answer that is read; a strategy has some hundred bytes, per-operation ones a few thousand. */
const MAX_ANSWER_BYTES = 1_048_576;
const TIMEOUT_MS = 10_000;

export interface RemoteSamplerOptions {
  /** Base URL of the strategy server; `/sampling?service=` is asked. */
  readonly endpoint: string;
  readonly service: string;
  readonly pollMs: number;
  /** Serves until the first answer. */
  readonly initialRatio: number;
}

/**
 * Follows the sampling strategy of a Jaeger collector (its HTTP interface): a probability, or a rate of
 * traces per second. While the server does not answer, the last strategy stays in force.
 */
export class RemoteSampler implements RootSampler {
  readonly reason = 'remote';
  readonly #options: RemoteSamplerOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  #strategy: RootSampler;
  #timer: Timer | null = null;
  #request: ReturnType<typeof get> | null = null;
  #failing = false;
  #stopped = false;

  constructor(options: RemoteSamplerOptions, clock: Clock, log: Log) {
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    this.#strategy = new RatioSampler(options.initialRatio, this.reason);
  }

  sample(traceId: string): boolean {
    return this.#strategy.sample(traceId);
  }

  /** Asks now and then every `pollMs`. */
  start(): void {
    this.#stopped = false;
    this.#poll();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#request?.destroy();
  }

  #poll(): void {
    this.#ask((error, body) => {
      if (this.#stopped) return;
      this.#take(error, body);
      this.#timer = this.#clock.schedule(this.#options.pollMs, () => this.#poll());
    });
  }

  #take(error: string | null, body: string): void {
    const strategy = error === null ? parseStrategy(body, this.#clock) : null;
    if (strategy !== null) this.#strategy = strategy;
    const failing = strategy === null;
    if (failing && !this.#failing) {
      const fields = { endpoint: this.#options.endpoint, error: error ?? 'not a strategy' };
      this.#log.warn(fields, 'no sampling strategy from the server, the last one stays');
    }
    this.#failing = failing;
  }

  #ask(done: (error: string | null, body: string) => void): void {
    const url = new URL('sampling', withSlash(this.#options.endpoint));
    url.searchParams.set('service', this.#options.service);
    let over = false;
    const finish = (error: string | null, body: string): void => {
      if (over) return;
      over = true;
      this.#request = null;
      done(error, body);
    };
    const request = (url.protocol === 'https:' ? getSecurely : get)(
      url,
      { timeout: TIMEOUT_MS, agent: false },
      (response) => readBody(response, finish),
    );
    this.#request = request;
    request.on('timeout', () => request.destroy(new Error('timed out')));
    request.on('error', (error) => finish(error.message, ''));
  }
}

function readBody(
  response: IncomingMessage,
  finish: (error: string | null, body: string) => void,
): void {
  let body = '';
  response.setEncoding('utf8');
  response.on('data', (text: string) => {
    body += text;
    if (body.length > MAX_ANSWER_BYTES) response.destroy(new Error('answer too large'));
  });
  response.on('error', (error) => finish(error.message, ''));
  response.on('end', () =>
    finish(response.statusCode === 200 ? null : `status ${response.statusCode}`, body),
  );
}

/** A rate limiter as a sampler: `perSecond` traces a second, unused ones kept for one second. */
class RateSampler implements RootSampler {
  readonly reason = 'remote';
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #most: number;
  #tokens: number;
  #filledMs: number;

  constructor(perSecond: number, clock: Clock) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#most = Math.max(1, perSecond);
    this.#tokens = this.#most;
    this.#filledMs = clock.now();
  }

  sample(): boolean {
    const nowMs = this.#clock.now();
    const earned = ((nowMs - this.#filledMs) / 1000) * this.#perSecond;
    this.#filledMs = nowMs;
    this.#tokens = Math.min(this.#most, this.#tokens + earned);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}

/** Operations are not known when the decision is taken, so of per-operation strategies the default serves. */
function parseStrategy(body: string, clock: Clock): RootSampler | null {
  const answer = parseObject(body);
  if (answer === null) return null;
  const operations = member(answer, 'operationSampling');
  const probability =
    number(operations, 'defaultSamplingProbability') ??
    number(member(answer, 'probabilisticSampling'), 'samplingRate');
  if (probability !== null) return new RatioSampler(Math.min(1, probability), 'remote');
  const perSecond = number(member(answer, 'rateLimitingSampling'), 'maxTracesPerSecond');
  return perSecond === null ? null : new RateSampler(perSecond, clock);
}

function parseObject(body: string): object | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

function member(of: object, name: string): object | null {
  const value = Object.getOwnPropertyDescriptor(of, name)?.value as unknown;
  return typeof value === 'object' ? value : null;
}

/** A finite number that is not negative. */
function number(of: object | null, name: string): number | null {
  if (of === null) return null;
  const value = Object.getOwnPropertyDescriptor(of, name)?.value as unknown;
  return typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY ? value : null;
}

function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}
