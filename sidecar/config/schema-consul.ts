import * as z from 'zod';
import { count, flag, ms, optionalHost, optionalText, section, text } from './fields.ts';

/** How the registry is reached, and how far its answers are believed. */
export const consulSchema = section(
  {
    enabled: flag(
      true,
      'At false Consul is never contacted: nothing is registered, and upstreams are `static` or `dns`.',
    ),
    address: z
      .string()
      .max(1024)
      .regex(
        /^(https?:\/\/[^/?#\s@]+\/?|unix:\/\/\/\S+|[^/?#\s@:]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:]+\](:[0-9]{1,5})?)$/,
      )
      .meta({ title: 'an `http://`, `https://` or `unix://` address, or `host:port`' })
      .default('http://127.0.0.1:8500')
      .describe(
        'The agent: `http://`, `https://` or `unix://` address, or `host:port`. Environment: `CONSUL_HTTP_ADDR`.',
      ),
    token: text
      .default('')
      .describe(
        'ACL token; a service identity is enough. Never shown. Environment: `CONSUL_HTTP_TOKEN`.',
      )
      .meta({ writeOnly: true }),
    tokenFile: optionalText(
      'File with the ACL token, read again when it changes and after a 403. Environment: `CONSUL_HTTP_TOKEN_FILE`.',
    ),
    datacenter: optionalText('Datacenter to ask. Empty: that of the agent.'),
    namespace: optionalText('Namespace (Enterprise). Environment: `CONSUL_NAMESPACE`.'),
    partition: optionalText('Admin partition (Enterprise). Environment: `CONSUL_PARTITION`.'),
    tls: section(
      {
        verify: flag(
          true,
          'Whether the certificate of the agent is verified. At false anybody on the path can answer in its place. Environment: `CONSUL_HTTP_SSL_VERIFY`.',
        ),
        caFile: optionalText(
          'PEM file of authorities. Empty: those of Node. Environment: `CONSUL_CACERT`.',
        ),
        caPath: optionalText('Folder of PEM files of authorities. Environment: `CONSUL_CAPATH`.'),
        certFile: optionalText(
          'PEM file of the client certificate. Environment: `CONSUL_CLIENT_CERT`.',
        ),
        keyFile: optionalText('PEM file of its key. Environment: `CONSUL_CLIENT_KEY`.'),
        serverName: optionalHost(
          'Name expected in the certificate. Empty: the host of the address. Environment: `CONSUL_TLS_SERVER_NAME`.',
        ),
      },
      'TLS towards the agent; used with an `https://` address.',
    ),
    register: flag(
      true,
      'Whether this instance is registered and kept alive. At false somebody else registers it.',
    ),
    checkTtlMs: ms(
      15_000,
      'TTL of the heartbeat check; it beats three times as often. Short values cost the servers more, long ones leave a dead instance listed longer.',
      3000,
      3_600_000,
    ),
    maxWatches: count(
      40,
      'Blocking queries at a time; services beyond it are polled every 10 s. Consul allows 200 connections for one client address.',
      1,
      190,
    ),
    quarantine: section(
      {
        settleMs: ms(
          15_000,
          'Time for which the same smaller list must stand before removals are believed. At 0 they are believed at once.',
          0,
          3_600_000,
        ),
        maxMs: ms(60_000, 'Longest time for which removals are held back.', 0, 3_600_000),
      },
      'What happens when the index goes backwards or an answer drops more than max(3, 30 %) of the instances: additions apply, removals wait.',
    ),
    startDeadlineMs: ms(
      10_000,
      'Time that the start waits for first endpoints; afterwards the sidecar runs, not ready.',
      0,
      3_600_000,
    ),
    snapshotDir: optionalText(
      'Folder for the last good list of each service, made when missing; a start while Consul cannot be reached then serves from it. Give it a place that outlives the process, of its own for each instance. Empty: nothing is written, and such a start has no endpoints until Consul answers. No default: a proxy writes only where it was told to.',
    ),
    zoneKey: text
      .min(1)
      .max(128)
      .default('zone')
      .describe('Key of service or node meta that holds the zone.'),
  },
  'The registry.',
);
