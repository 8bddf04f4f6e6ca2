import * as z from 'zod';
import { bytes, count, ms, number, ratio } from './fields.ts';

/** How an endpoint is chosen. Zones choose first, the policy then picks inside the zone. */
export const balancingSchema = z.strictObject({
  policy: z
    .enum(['least_request', 'round_robin', 'random'])
    .default('least_request')
    .describe(
      'How an endpoint is chosen. `least_request`: the least busy of `choiceCount` random endpoints; `round_robin`: in turn, by weight; `random`: by weight.',
    ),
  choiceCount: count(
    2,
    '`least_request`: endpoints compared for each choice. At 1 the choice is random; large values make callers herd on the same endpoint.',
    1,
    16,
  ),
  activeRequestBias: number(
    1,
    '`least_request` with unequal weights: exponent of the requests in flight. At 0 only the weights count; above 1 busy endpoints are avoided more strongly.',
    0,
    8,
  ),
  zone: z
    .enum(['prefer', 'proportional', 'ignore', 'strict'])
    .default('prefer')
    .describe(
      'Where requests go when endpoints are in several zones. `prefer`: stay local, spill when the local zone is too small; `proportional`: shares by the numbers of callers and endpoints; `ignore`: all zones alike; `strict`: never leave the own zone. Until endpoints report their load, `prefer` behaves as `proportional`.',
    ),
  minClusterSize: count(
    6,
    '`proportional` only: usable endpoints below which zones are ignored. `prefer` has no minimum, also while it behaves as `proportional`. At 1 the arithmetic is used for any number.',
    1,
    65535,
  ),
  panicThreshold: ratio(
    0.5,
    'Share of usable endpoints below which health is ignored and all are used, those in maintenance excepted. At 0 panic is off; at 1 one bad endpoint is enough.',
  ),
  slowStart: z
    .strictObject({
      windowMs: ms(
        0,
        'Time over which an endpoint that became usable reaches its full weight. 0: off.',
        0,
        3_600_000,
      ),
      aggression: number(
        1,
        'Shape of the ramp. 1 is linear; larger values give a new endpoint more traffic early.',
        0.1,
        10,
      ),
    })
    .prefault({})
    .describe('Gentle start of new endpoints, with every policy.'),
});

/** When an endpoint is taken out because of what was seen of it. */
export const outliersSchema = z.strictObject({
  consecutive5xx: count(
    5,
    'Responses 5xx in a row, failures to reach the endpoint included, that eject it. 0: off.',
    0,
    10_000,
  ),
  consecutiveGateway: count(
    5,
    'Responses 502, 503 or 504 in a row, failed connections, resets and timeouts before a response included, that eject an endpoint. 0: off.',
    0,
    10_000,
  ),
  consecutiveLocalOrigin: count(
    3,
    'Failures in a row seen from here (connect, reset, timeout before a response head) that eject an endpoint; a refused connection does at once. 0: off.',
    0,
    10_000,
  ),
  baseEjectionMs: ms(
    5000,
    'Length of a first ejection; it doubles with each further one.',
    100,
    3_600_000,
  ),
  maxEjectionMs: ms(60_000, 'Longest ejection.', 100),
  maxEjectedShare: ratio(
    0.3,
    'Largest share of the members that may be ejected at a time; from three members on one may always be. Of one or two members none is, whatever stands here. A refused connection is certain and ejects beyond the share, also one of two. At 0 nothing is ejected; at 1 all can be.',
  ),
  intervalMs: ms(
    1000,
    'How often ejections are looked at: ends, and the quiet periods that shorten the next one.',
    100,
    3_600_000,
  ),
});

/** When a failed attempt is followed by another one. */
export const retriesSchema = z.strictObject({
  max: count(2, 'Most retries of one request. 0: no retries.', 0, 10),
  on: z
    .array(z.int().min(400).max(599))
    .max(32)
    .default([502, 503, 504])
    .describe(
      'Response statuses after which an idempotent request is tried again. Failures that never reached an application are retried whatever is listed. Empty: no status is.',
    ),
  perSuccess: ratio(
    0.1,
    'Retry tokens earned by each success. At 0.1 one retry for every ten successes; at 0 only the trickle of `perSecond` is left.',
  ),
  perSecond: number(
    0.2,
    'Retry tokens earned each second, so that a rare caller can retry at all. At 0 only successes earn.',
    0,
    1000,
  ),
  maxTokens: number(10, 'Most tokens saved up. Below 1 nothing is ever retried.', 0, 100_000),
  initialTokens: number(10, 'Tokens at the start; never above `maxTokens`.', 0, 100_000),
  baseMs: ms(
    25,
    'Back-off: the n-th retry waits between 0 and baseMs · (2^n − 1). At 0 retries are immediate.',
    0,
    60_000,
  ),
  maxMs: ms(250, 'Longest back-off, unless the endpoint asked for more by Retry-After.', 0, 60_000),
  replayBytes: bytes(
    65_536,
    'Request body kept for a retry. A longer body is not retried once it was sent; at 0 only requests without a body are.',
    0,
    16_777_216,
  ),
});

/** Circuit breaker: what may be under way at a time. */
export const limitsSchema = z.strictObject({
  maxRequests: count(1024, 'Requests in flight in the cluster; above it `overflow`.', 1, 1_000_000),
  maxConnections: count(1024, 'Connections to one endpoint; above it requests wait.', 1, 65_535),
  maxWaiting: count(
    128,
    'Requests that may wait for a connection to one endpoint; above it `overflow`. At 0 nothing waits.',
    0,
    1_000_000,
  ),
  queueTimeoutMs: ms(1000, 'Longest wait for a connection; then `queue_timeout`.', 1, 3_600_000),
});

export type Balancing = z.output<typeof balancingSchema>;
export type Outliers = z.output<typeof outliersSchema>;
export type Retries = z.output<typeof retriesSchema>;
export type Limits = z.output<typeof limitsSchema>;
