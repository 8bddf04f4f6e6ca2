import type { SpanAttributes } from './span-attributes.ts';

/** Pre-stable names of the HTTP conventions; dashboards made for Envoy's older traces look for them. */
const COMMON = [
  ['http.request.method', 'http.method'],
  ['http.response.status_code', 'http.status_code'],
  ['url.scheme', 'http.scheme'],
  ['user_agent.original', 'http.user_agent'],
  ['network.protocol.version', 'http.flavor'],
  ['network.peer.address', 'net.sock.peer.addr'],
  ['network.peer.port', 'net.sock.peer.port'],
  ['client.address', 'http.client_ip'],
] as const;
const CLIENT = [
  ['url.full', 'http.url'],
  ['server.address', 'net.peer.name'],
  ['server.port', 'net.peer.port'],
] as const;
const SERVER = [
  ['server.address', 'net.host.name'],
  ['server.port', 'net.host.port'],
] as const;

/** Adds the old names beside the new ones (`OTEL_SEMCONV_STABILITY_OPT_IN=http/dup`). */
export function addOldHttpNames(attributes: SpanAttributes, kind: 'client' | 'server'): void {
  for (const [name, old] of COMMON) copy(attributes, name, old);
  for (const [name, old] of kind === 'client' ? CLIENT : SERVER) copy(attributes, name, old);
  const path = attributes['url.path'];
  if (path === undefined) return;
  const query = attributes['url.query'];
  attributes['http.target'] = query === undefined ? path : `${path}?${query}`;
}

function copy(attributes: SpanAttributes, name: string, old: string): void {
  const value = attributes[name];
  if (value !== undefined) attributes[old] = value;
}
