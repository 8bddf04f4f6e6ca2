import * as z from 'zod';
import { flag, maybe, serviceName, text } from './fields.ts';

/** Field names on the wire are tokens (RFC 9110 §5.6.2). */
const headerName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/)
  .meta({ title: 'a header field name' });

const headerCondition = z.strictObject({
  name: headerName.describe('Field name; case does not matter.'),
  exact: text.optional().describe('The value must be this, byte for byte.'),
  prefix: text.optional().describe('The value must begin with this.'),
  present: z.literal(true).optional().describe('The field must be there, whatever its value.'),
});

/** One rule: every condition must hold. */
export const routeSchema = z.strictObject({
  name: maybe(
    text.min(1).max(255),
    'Name in logs and metrics; unique. Default: the service and the number of the rule.',
  ),
  host: maybe(
    z
      .string()
      .max(255)
      .regex(/^(\*\.)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/)
      .meta({ title: 'a host name without port, or `*.` and one' }),
    'Host without port: exact, or `*.suffix` for everything below it. Default: any.',
  ),
  path: maybe(
    z
      .string()
      .max(4096)
      .regex(/^\/[!"$->@-[\]-~]*$/)
      .meta({ title: 'a path that begins with `/`, without query, spaces, `#` and `\\`' }),
    'Path prefix, matched whole segments at a time: `/pay` covers `/pay` and `/pay/now`, not `/payment`. Default: any.',
  ),
  headers: z
    .array(headerCondition)
    .max(16)
    .default([])
    .describe(
      'Conditions on header fields, each with one of `exact`, `prefix`, `present`; all must hold.',
    ),
  service: serviceName.describe('Upstream, by name, that gets the request.'),
  timeoutMs: maybe(z.int().min(0).max(86_400_000), 'As in the upstream, for this rule.'),
  perTryTimeoutMs: maybe(z.int().min(0).max(86_400_000), 'As in the upstream, for this rule.'),
  idleTimeoutMs: maybe(z.int().min(0).max(86_400_000), 'As in the upstream, for this rule.'),
  maxBodyBytes: maybe(z.int().min(0).max(1_099_511_627_776), 'As in the upstream, for this rule.'),
  template: maybe(
    text.min(1).max(1024),
    'Low-cardinality path for `http.route`, such as `/orders/{id}`. Default: none, a prefix is not a template.',
  ),
  untraced: flag(false, 'At true no trace begins with this rule; for health probes.'),
});

export type RouteInput = z.output<typeof routeSchema>;
