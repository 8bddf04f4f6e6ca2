import { equalsFolded, foldAscii } from '../message/octets.ts';
import { hasPort, isAuthority } from './authority.ts';
import { type Refusal, refusal } from './refusal.ts';

/** Where a request goes, as its target and Host say together. */
export interface Destination {
  readonly authority: string;
  readonly path: string;
}

const BAD_TARGET = refusal('the request target has none of the four forms');
const BAD_AUTHORITY = refusal('the authority of the request target is no host');
const OTHER_HOST = refusal('Host differs from the authority of the request target');
const STAR = refusal('the target * belongs to OPTIONS');

/**
 * Reads a target that is not in origin-form (RFC 9112 §3.2): absolute-form http(s), `*` for OPTIONS,
 * authority-form for CONNECT, whose path is empty. `host` is the Host field, null in HTTP/1.0 without
 * one. Nothing is decoded.
 */
export function readTarget(
  method: string,
  target: string,
  host: string | null,
): Destination | Refusal {
  if (method === 'CONNECT') return readAuthority(target, host, '');
  if (target === '*') {
    if (method !== 'OPTIONS') return STAR;
    return { authority: host ?? '', path: '*' };
  }
  const start = schemeLength(target);
  if (start === 0) return BAD_TARGET;
  const end = authorityEnd(target, start);
  const rest = target.slice(end);
  const path =
    rest === '' ? (method === 'OPTIONS' ? '*' : '/') : rest.startsWith('?') ? `/${rest}` : rest;
  return readAuthority(target.slice(start, end), host, path);
}

function readAuthority(
  authority: string,
  host: string | null,
  path: string,
): Destination | Refusal {
  if (!isAuthority(authority) || (path === '' && !hasPort(authority))) return BAD_AUTHORITY;
  if (host !== null && !equalsFolded(host, foldAscii(authority))) return OTHER_HOST;
  return { authority: host ?? authority, path };
}

function schemeLength(target: string): number {
  const lower = foldAscii(target.slice(0, 8));
  return lower === 'https://' ? 8 : lower.startsWith('http://') ? 7 : 0;
}

function authorityEnd(target: string, start: number): number {
  for (let i = start; i < target.length; i++) {
    const code = target.charCodeAt(i);
    if (code === 0x2f || code === 0x3f) return i;
  }
  return target.length;
}
