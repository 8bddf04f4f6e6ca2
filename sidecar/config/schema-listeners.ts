import * as z from 'zod';
import {
  bytes,
  count,
  flag,
  hostName,
  isHost,
  maybe,
  ms,
  port,
  portNumber,
  section,
} from './fields.ts';
import { override } from './override.ts';
import { limitsSchema } from './schema-policies.ts';

/** What is in front of the local application. */
export const inboundSchema = section(
  {
    host: hostName.default('0.0.0.0').describe('Address that the inbound listener is bound to.'),
    port: port(21000, 'Port of the inbound listener; the one that is registered.'),
    appPort: maybe(
      portNumber,
      'Port of the local application. Without it there is no inbound listener, and nothing is registered.',
    ),
    appHost: hostName.default('127.0.0.1').describe('Address of the local application.'),
    protocol: z
      .enum(['http'])
      .default('http')
      .describe('What the application speaks: `http` is HTTP/1.1.'),
    connectTimeoutMs: ms(1000, 'Time to connect to the application.', 1, 600_000),
    timeoutMs: ms(0, 'Total time of an inbound request. 0: the deadline of the caller alone.'),
    idleTimeoutMs: ms(
      60_000,
      'Longest time without a byte in either direction of a request. 0: off.',
    ),
    maxBodyBytes: bytes(0, 'Longest request body; above it `body_too_large`. 0: no limit.'),
    limits: override(limitsSchema)
      .optional()
      .describe('Keys of `limits` that differ for the local application.'),
  },
  'The listener in front of the local application.',
);

/** The port that routes by Host or absolute-form. */
export const forwardProxySchema = section(
  {
    enabled: flag(true, 'Whether the port is opened.'),
    host: hostName
      .default('127.0.0.1')
      .describe(
        'Address it is bound to. Anything but loopback lets others call through this sidecar.',
      ),
    port: port(15080, 'Its port; `HTTP_PROXY=http://127.0.0.1:15080` makes an application use it.'),
    allowUndeclared: flag(
      true,
      'Whether services of Consul that are not listed under `upstreams` can be called, as `http://orders/` or `http://orders.outrigger/`; they are followed from their first use.',
    ),
  },
  'The port that routes by `Host` or absolute-form to routes and upstreams.',
);

/** Limits of the HTTP parser and its connections; both directions unless said otherwise. */
export const httpSchema = section(
  {
    maxHeadBytes: bytes(
      65_536,
      'Longest message head; above it 431, for a response 502.',
      1024,
      1_048_576,
    ),
    maxFieldBytes: bytes(16_384, 'Longest field line; above it 431.', 256, 1_048_576),
    maxTargetBytes: bytes(16_384, 'Longest request target; above it 414.', 256, 1_048_576),
    maxFields: count(128, 'Most fields of a head; above it 431.', 8, 4096),
    maxTrailerBytes: bytes(
      8192,
      'Longest trailer section; above it the message is refused.',
      0,
      1_048_576,
    ),
    maxTrailerFields: count(32, 'Most trailer fields; above it the message is refused.', 0, 4096),
    headTimeoutMs: ms(
      10_000,
      'Time for a whole request head from its first byte; then 408.',
      100,
      3_600_000,
    ),
    idleTimeoutMs: ms(75_000, 'Time that a kept-alive connection waits for its next request.', 100),
    bodyIdleTimeoutMs: ms(30_000, 'Longest silence inside a request body; then 408.', 100),
    minBodyBytesPerSecond: count(
      64,
      'Slowest request body, averaged over 30 s; then 408. 0: off.',
      0,
      1_073_741_824,
    ),
    stallTimeoutMs: ms(
      60_000,
      'Longest time that a caller takes nothing of its response; then the connection is closed.',
      100,
    ),
    maxConnections: count(
      0,
      'Accepted connections in the whole process; above it they are refused and counted. 0: half of the descriptors that the process may open, minus a reserve.',
      0,
      1_000_000,
    ),
    maxConnectionsPerSource: count(
      1024,
      'Accepted connections from one address; above it they are refused and counted.',
      1,
      1_000_000,
    ),
  },
  'Limits of HTTP messages and of accepted connections.',
);

/** Loopback only: the admin API can stop the sidecar and shows everything it knows. */
export const adminSchema = section(
  {
    host: z
      .string()
      .regex(/^(localhost|::1|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})$/)
      .refine(isHost)
      .meta({ title: 'a loopback address' })
      .default('127.0.0.1')
      .describe('Loopback address of the admin API; any other is refused.'),
    port: port(15000, 'Port of the admin API.'),
  },
  'The local admin API.',
);
