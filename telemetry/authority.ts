/** Host and port that a request was addressed to. */
export interface Address {
  /** Without brackets; empty when the authority is. */
  readonly host: string;
  readonly port: number;
}

/** Splits an authority; user information is left out, a missing or odd port becomes that of the scheme. */
export function splitAuthority(authority: string, scheme: string): Address {
  const start = authority.lastIndexOf('@') + 1;
  const bracket = authority.indexOf(']', start);
  const colon = authority.indexOf(':', bracket === -1 ? start : bracket);
  const end = colon === -1 ? authority.length : colon;
  const host = bracket === -1 ? authority.slice(start, end) : authority.slice(start + 1, bracket);
  const port = colon === -1 ? 0 : portNumber(authority, colon + 1);
  return { host, port: port > 0 ? port : scheme === 'https' ? 443 : 80 };
}

/** This machine by address or name: where applications find an upstream's local port. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

/** 0 when it is none. */
function portNumber(text: string, from: number): number {
  let port = 0;
  for (let at = from; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9 || port > 6553) return 0;
    port = port * 10 + digit;
  }
  return port > 65_535 ? 0 : port;
}
