import type { IncomingMessage } from 'node:http';

/**
 * Whether a request may come from this machine's own tools. Listening on loopback is not enough: a web
 * page can name a host that resolves to 127.0.0.1 (DNS rebinding), or post a form to it. The sentence
 * says why not; null lets it pass.
 */
export function refusalOf(request: IncomingMessage): string | null {
  const { host, origin } = request.headers;
  if (host === undefined || !isLoopbackAuthority(host)) {
    return 'the Host of a request to the admin API must be a loopback address';
  }
  if (origin !== undefined && origin !== `http://${host}`) {
    return 'the admin API answers no other origin';
  }
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    return 'the admin API answers no other site';
  }
  return null;
}

const LOOPBACK = /^(localhost|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|\[::1\])(:[0-9]{1,5})?$/i;

function isLoopbackAuthority(host: string): boolean {
  return host.length < 64 && LOOPBACK.test(host);
}
