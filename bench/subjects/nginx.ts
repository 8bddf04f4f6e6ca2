import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../../sidecar/up/ports.ts';
import { findPeer } from '../../test/tools/peers.mjs';
import { startServer } from './server-process.ts';
import type { Setup, Subject } from './subject.ts';

/** nginx as one process, keep-alive to the upstream, and the two headers that a sidecar adds. */
export const nginx: Subject = {
  name: 'nginx',
  start: async (setup) => {
    const binary = findPeer('nginx');
    if (binary === null) return null;
    const [port = 0] = await freePorts(1);
    const file = join(setup.folder, 'nginx.conf');
    writeFileSync(file, configuration(port, setup));
    const process = await startServer(
      binary,
      ['-p', setup.folder, '-e', 'stderr', '-c', file],
      setup.folder,
      `http://127.0.0.1:${port}/1k`,
    );
    return { port, process };
  },
};

function configuration(port: number, setup: Setup): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
master_process off;
worker_processes 1;
pid ${join(setup.folder, 'nginx.pid')};
events { worker_connections 4096; }
http {
  access_log ${setup.accessLog ? 'access.log' : 'off'};
  ${temporary.map((name) => `${name}_temp_path ${name};`).join('\n  ')}
  keepalive_requests 1000000000;
  keepalive_timeout 60s;
  tcp_nodelay on;
  upstream service {
    least_conn;
    server 127.0.0.1:${setup.backendPort};
    keepalive 256;
    keepalive_requests 1000000000;
  }
  map $http_traceparent $traceparent {
    "" "00-$request_id-b7ad6b7169203331-00";
    default $http_traceparent;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://service;
      proxy_http_version 1.1;
      proxy_max_temp_file_size 0;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header traceparent $traceparent;
    }
  }
}
`;
}
