import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../../sidecar/up/ports.ts';
import { findPeer } from '../../test/tools/peers.mjs';
import { startServer } from './server-process.ts';
import type { Setup, Subject } from './subject.ts';

/** HAProxy with one thread, connections to the upstream always reused, and the two headers that a sidecar adds. */
export const haproxy: Subject = {
  name: 'haproxy',
  start: async (setup) => {
    const binary = findPeer('haproxy');
    if (binary === null) return null;
    const [port = 0] = await freePorts(1);
    const file = join(setup.folder, 'haproxy.cfg');
    writeFileSync(file, configuration(port, setup));
    const process = await startServer(
      binary,
      ['-db', '-f', file],
      setup.folder,
      `http://127.0.0.1:${port}/1k`,
    );
    return { port, process };
  },
};

function configuration(port: number, setup: Setup): string {
  return `
global
  nbthread 1
  maxconn 4096
  ${setup.accessLog ? 'log stdout format raw local0' : ''}
defaults
  mode http
  ${setup.accessLog ? 'log global\n  option httplog' : 'no log'}
  timeout client 60s
  timeout server 60s
  timeout connect 1s
  timeout http-request 10s
  timeout http-keep-alive 60s
  http-reuse always
frontend in
  bind 127.0.0.1:${port}
  option forwardfor
  http-request set-header traceparent 00-%[rand,hex]%[rand,hex]-%[rand,hex]-00 unless { req.hdr(traceparent) -m found }
  default_backend out
backend out
  balance leastconn
  server one 127.0.0.1:${setup.backendPort}
`;
}
