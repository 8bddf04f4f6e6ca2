import * as z from 'zod';
import {
  count,
  flag,
  ms,
  optionalHost,
  optionalText,
  section,
  serviceName,
  text,
} from './fields.ts';
import { consulSchema } from './schema-consul.ts';
import { adminSchema, forwardProxySchema, httpSchema, inboundSchema } from './schema-listeners.ts';
import {
  type Balancing,
  balancingSchema,
  type Limits,
  limitsSchema,
  type Outliers,
  outliersSchema,
  type Retries,
  retriesSchema,
} from './schema-policies.ts';
import { type RouteInput, routeSchema } from './schema-route.ts';
import { accessLogSchema, logSchema, metricsSchema, traceSchema } from './schema-telemetry.ts';
import { type UpstreamInput, upstreamSchema } from './schema-upstream.ts';

/**
 * The configuration file: the one source of keys, defaults, bounds and their descriptions. Times in
 * milliseconds, sizes in bytes, ratios 0–1. Unknown keys are mistakes.
 */
export const configSchema = z.strictObject({
  service: section(
    {
      name: serviceName.describe('Name in the registry: what callers ask for. Needed.'),
      id: optionalText(
        'Id of this instance in the registry, unique on its node. Empty: name and inbound port.',
      ),
      address: optionalHost(
        'Address that callers dial. Empty: the registry uses that of the node.',
      ),
      zone: optionalText('Zone of this instance. Empty: unknown, and zones are ignored.'),
      region: optionalText('Region of this instance.'),
      tags: z.array(text.min(1).max(255)).max(64).default([]).describe('Tags of the registration.'),
      meta: z
        .record(
          z
            .string()
            .regex(/^[A-Za-z0-9_-]{1,128}$/)
            .meta({ title: 'a key of letters, digits, `-` and `_`' }),
          text.max(512),
        )
        .default({})
        .describe(
          'Meta of the registration; at most 60 entries, `zone` and `outrigger` are set by the sidecar.',
        ),
      weights: section(
        {
          passing: count(1, 'Weight while all checks pass; Consul takes none below 1.', 1, 65_535),
          warning: count(1, 'Weight while a check warns.', 0, 65_535),
        },
        'Relative capacity of this instance.',
      ),
    },
    'This instance.',
  ),
  inbound: inboundSchema,
  upstreams: z
    .array(upstreamSchema)
    .max(1000)
    .default([])
    .describe('The services that the application calls.'),
  routes: z
    .array(routeSchema)
    .max(1000)
    .default([])
    .describe(
      'Rules of the forward proxy port. The most specific host is asked first: exact, then the longest `*.suffix`, then rules for any host. Within one host the first rule of the file whose conditions hold wins, so put longer paths first. The names of upstreams are hosts of their own, after these rules.',
    ),
  balancing: balancingSchema.prefault({}).describe('Choice of endpoints, for every upstream.'),
  outliers: outliersSchema.prefault({}).describe('Outlier detection, for every upstream.'),
  retries: retriesSchema.prefault({}).describe('Retries, for every upstream.'),
  limits: limitsSchema
    .prefault({})
    .describe('Circuit breaker, for every upstream and the local application.'),
  forwardProxy: forwardProxySchema,
  http: httpSchema,
  consul: consulSchema,
  drain: section(
    {
      delayMs: ms(
        5000,
        'Time from the first signal, during which everything is still served, so that callers learn that this instance leaves. At 0 late callers are refused.',
        0,
        3_600_000,
      ),
      timeoutMs: ms(
        20_000,
        'Time for running requests after that; what is left is cut and counted.',
        0,
      ),
    },
    'Shut-down.',
  ),
  holdStartMs: ms(
    5000,
    'Longest time that a request waits for the first answer of the registry; then `discovery_pending`. At 0 early requests fail at once.',
    0,
    600_000,
  ),
  admin: adminSchema,
  trace: traceSchema,
  metrics: metricsSchema,
  accessLog: accessLogSchema,
  log: logSchema,
  trust: section(
    {
      plaintextPeers: flag(
        true,
        'Whether `outrigger-timeout-ms` and `outrigger-attempt` of inbound callers without a proven identity are believed. At false they are removed.',
      ),
    },
    'Whose word counts.',
  ),
});

/** The file as parsed: complete except for what upstreams inherit. */
export type ConfigInput = z.output<typeof configSchema>;

/** One address of a `static` upstream. */
export interface StaticEndpoint {
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  readonly zone: string;
  readonly region: string;
}

/** An upstream with everything it inherits. */
export interface Upstream
  extends Readonly<
    Omit<UpstreamInput, 'name' | 'endpoints' | 'balancing' | 'outliers' | 'retries' | 'limits'>
  > {
  readonly name: string;
  readonly endpoints: readonly StaticEndpoint[];
  readonly balancing: Balancing;
  readonly outliers: Outliers;
  readonly retries: Retries;
  readonly limits: Limits;
}

/** A route with its name. Null: as the upstream has it. */
export interface Route extends Readonly<Omit<RouteInput, 'name'>> {
  readonly name: string;
}

/** The local listener and application, with the limits they inherit. */
export interface Inbound extends Readonly<Omit<ConfigInput['inbound'], 'limits'>> {
  readonly limits: Limits;
}

/** A configuration in force: validated, complete, never changed. */
export interface Config extends Readonly<Omit<ConfigInput, 'inbound' | 'upstreams' | 'routes'>> {
  readonly inbound: Inbound;
  readonly upstreams: readonly Upstream[];
  readonly routes: readonly Route[];
}
