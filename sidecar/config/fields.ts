import { isIP } from 'node:net';
import * as z from 'zod';

/**
 * Builders for the schema's fields: every key gets bounds, a default and a description in one line.
 * The reference, the JSON Schema and the error messages are all read back from what is given here.
 */

const DAY_MS = 86_400_000;
const TERABYTE = 1_099_511_627_776;

/** A duration in milliseconds. */
export function ms(fallback: number, text: string, min = 0, max = DAY_MS) {
  return z.int().min(min).max(max).default(fallback).describe(text);
}

/** A size in bytes. */
export function bytes(fallback: number, text: string, min = 0, max = TERABYTE) {
  return z.int().min(min).max(max).default(fallback).describe(text);
}

/** A whole number of things. */
export function count(fallback: number, text: string, min: number, max: number) {
  return z.int().min(min).max(max).default(fallback).describe(text);
}

/** A number with a fraction. */
export function number(fallback: number, text: string, min: number, max: number) {
  return z.number().min(min).max(max).default(fallback).describe(text);
}

/** A share, 0–1. */
export function ratio(fallback: number, text: string) {
  return number(fallback, text, 0, 1);
}

export function flag(fallback: boolean, text: string) {
  return z.boolean().default(fallback).describe(text);
}

/** A TCP port. 0 is refused: a port that the kernel chose could not be found by anybody. */
export function port(fallback: number, text: string) {
  return portNumber.default(fallback).describe(text);
}

export const portNumber = z.int().min(1).max(65535);

/** Text without control characters; it may end up in log lines, header fields and registrations. */
export const text = z
  .string()
  .max(4096)
  // oxlint-disable-next-line no-control-regex -- control characters are what it refuses
  .regex(/^[^\u0000-\u001f\u007f]*$/)
  .meta({ title: 'one line of text' });

/** Text that may be left out: empty means not given. */
export function optionalText(description: string) {
  return text.default('').describe(description);
}

/** An IP address without brackets, or a name that a resolver can be asked for (RFC 1123, and `_`). */
export const hostName = z
  .string()
  .max(255)
  .regex(/^[A-Za-z0-9_:]([A-Za-z0-9._:%-]*[A-Za-z0-9.:])?$/)
  .refine(isHost)
  .meta({ title: 'an IP address or a host name' });

/** An address that may be left out: empty means not given. */
export function optionalHost(description: string) {
  return z
    .string()
    .max(255)
    .refine((value) => value === '' || isHost(value))
    .meta({ title: 'an IP address or a host name' })
    .default('')
    .describe(description);
}

/** Whether an address could be bound, dialled or looked up. A name does not end in a number (RFC 3696 §2). */
export function isHost(value: string): boolean {
  if (isIP(value) !== 0) return true;
  const labels = value.replace(/\.$/, '').split('.');
  return labels.every(isLabel) && !/^[0-9]+$/.test(labels.at(-1) ?? '');
}

function isLabel(label: string): boolean {
  return /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label);
}

/** Registry names, and therefore metric labels: letters, digits, dash, underscore and dot. */
export const serviceName = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/)
  .meta({ title: 'a name of letters, digits, `-`, `_` and `.`' });

/** A value of its own, or null for "not given". */
export function maybe<T extends z.ZodType>(schema: T, description: string) {
  return schema.nullable().default(null).describe(description);
}

/** A section: unknown keys are mistakes, and a section left out is the section of defaults. */
export function section<T extends z.ZodRawShape>(shape: T, description: string) {
  return z
    .strictObject(shape)
    .prefault({} as never)
    .describe(description);
}
