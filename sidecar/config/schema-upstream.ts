import * as z from 'zod';
import {
  bytes,
  count,
  hostName,
  isHost,
  maybe,
  ms,
  optionalText,
  portNumber,
  serviceName,
} from './fields.ts';
import { override } from './override.ts';
import { balancingSchema, limitsSchema, outliersSchema, retriesSchema } from './schema-policies.ts';

const endpointObject = z
  .strictObject({
    address: hostName.describe('IPv4 or IPv6 address, or a name resolved when connecting.'),
    port: portNumber.describe('Port, 1–65535.'),
    weight: count(
      1,
      'Relative capacity. At 0 it is listed but gets no traffic outside panic.',
      0,
      65_535,
    ),
    zone: optionalText('Zone of the endpoint. Empty: unknown.'),
    region: optionalText('Region of the endpoint. Empty: unknown.'),
  })
  .describe('An endpoint with its weight and zone.');

const endpointText = z
  .string()
  .max(300)
  .regex(/^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$/)
  .refine((value) => isHost(value.slice(0, value.lastIndexOf(':')).replace(/^\[|\]$/g, '')))
  .meta({ title: '`host:port`' })
  .describe('`host:port`; IPv6 in brackets.');

/** One upstream as written in the file; `resolve.ts` fills in what it inherits. */
export const upstreamSchema = z.strictObject({
  service: serviceName.describe('Name of the service in the registry.'),
  name: maybe(
    serviceName,
    'Name of the upstream in routes, metrics and traces; unique. Default: the service.',
  ),
  port: maybe(
    portNumber,
    'Local port of its own. Without one the upstream is reached by routes and through the forward proxy only.',
  ),
  host: hostName
    .default('127.0.0.1')
    .describe('Address that the local port is bound to. Anything but loopback opens it to others.'),
  protocol: z
    .enum(['http'])
    .default('http')
    .describe('What the endpoints speak: `http` is HTTP/1.1.'),
  resolver: z
    .enum(['consul', 'static', 'dns'])
    .default('consul')
    .describe('Where endpoints come from: `consul`, the list `endpoints`, or `dns`.'),
  endpoints: z
    .array(z.union([endpointText, endpointObject]))
    .max(10_000)
    .default([])
    .describe('`static`: the endpoints, each `host:port` or with weight and zone.'),
  dns: maybe(
    z.strictObject({
      name: hostName.describe('Name to resolve.'),
      type: z
        .enum(['A', 'AAAA', 'SRV'])
        .default('A')
        .describe('Record type. `SRV` brings ports and weights.'),
      port: maybe(
        portNumber,
        'Port of the endpoints; needed for `A` and `AAAA`, refused for `SRV`.',
      ),
    }),
    '`dns`: what to resolve.',
  ),
  timeoutMs: ms(
    0,
    'Total time of a request, retries included; for upgrades and event streams until the response head. 0: no limit beyond the deadline of the caller.',
  ),
  perTryTimeoutMs: ms(0, 'Time of one attempt until its response head. 0: off.'),
  idleTimeoutMs: ms(
    60_000,
    'Longest time without a byte in either direction once the request is under way. 0: off, a silent endpoint then holds the request until `timeoutMs`.',
  ),
  connectTimeoutMs: ms(1000, 'Time to open a connection to an endpoint.', 1, 600_000),
  maxBodyBytes: bytes(
    0,
    'Longest request body; above it `body_too_large`. 0: no limit, bodies are streamed.',
  ),
  balancing: override(balancingSchema)
    .optional()
    .describe('Keys of `balancing` that differ for this upstream.'),
  outliers: override(outliersSchema)
    .optional()
    .describe('Keys of `outliers` that differ for this upstream.'),
  retries: override(retriesSchema)
    .optional()
    .describe('Keys of `retries` that differ for this upstream.'),
  limits: override(limitsSchema)
    .optional()
    .describe('Keys of `limits` that differ for this upstream.'),
});

export type UpstreamInput = z.output<typeof upstreamSchema>;
