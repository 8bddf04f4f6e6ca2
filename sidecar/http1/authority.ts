import { isIPv6 } from 'node:net';
import { hostBytes } from '../message/octets.ts';

const MAX_PORT = 65_535;
const MAX_PORT_DIGITS = 5;

/**
 * Whether the text is a host this proxy forwards: a name, an IPv4 address or `[IPv6]`, with an optional
 * decimal port up to 65535. No userinfo, list, path, zone or percent-encoding, and not empty.
 */
export function isAuthority(text: string): boolean {
  if (text.charCodeAt(0) === 0x5b) return isBracketed(text);
  let at = 0;
  while (at < text.length && hostBytes[text.charCodeAt(at)] === 1) at++;
  return at > 0 && isPortOrEnd(text, at);
}

function isBracketed(text: string): boolean {
  const close = text.indexOf(']');
  if (close < 0 || text.includes('%')) return false;
  return isIPv6(text.slice(1, close)) && isPortOrEnd(text, close + 1);
}

function isPortOrEnd(text: string, at: number): boolean {
  if (at === text.length) return true;
  const digits = text.length - at - 1;
  if (text.charCodeAt(at) !== 0x3a || digits < 1 || digits > MAX_PORT_DIGITS) return false;
  let port = 0;
  for (let i = at + 1; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
  }
  return port <= MAX_PORT;
}

/** Whether the authority names its port, as the target of CONNECT must. */
export function hasPort(authority: string): boolean {
  return authority.lastIndexOf(':') > authority.lastIndexOf(']');
}
