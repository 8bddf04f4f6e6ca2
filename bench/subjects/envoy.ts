import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../../sidecar/up/ports.ts';
import { findPeer } from '../../test/tools/peers.mjs';
import { startServer } from './server-process.ts';
import type { Setup, Subject } from './subject.ts';

/** Envoy with one worker, least-request balancing, and the two headers that a sidecar adds. */
export const envoy: Subject = {
  name: 'envoy',
  start: async (setup) => {
    const binary = findPeer('envoy');
    if (binary === null) return null;
    const [port = 0] = await freePorts(1);
    const file = join(setup.folder, 'envoy.json');
    writeFileSync(file, JSON.stringify(configuration(port, setup)));
    const process = await startServer(
      binary,
      ['-c', file, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'warning'],
      setup.folder,
      `http://127.0.0.1:${port}/1k`,
    );
    return { port, process };
  },
};

function configuration(port: number, setup: Setup): object {
  const api = 'type.googleapis.com/envoy.extensions';
  const accessLog = {
    name: 'file',
    typed_config: {
      '@type': `${api}.access_loggers.file.v3.FileAccessLog`,
      path: join(setup.folder, 'access.log'),
    },
  };
  const connectionManager = {
    '@type': `${api}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'in',
    use_remote_address: true,
    access_log: setup.accessLog ? [accessLog] : [],
    http_filters: [
      { name: 'router', typed_config: { '@type': `${api}.filters.http.router.v3.Router` } },
    ],
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          request_headers_to_add: [
            {
              header: {
                key: 'traceparent',
                value: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00',
              },
              append_action: 'ADD_IF_ABSENT',
            },
          ],
          routes: [{ match: { prefix: '/' }, route: { cluster: 'service', timeout: '60s' } }],
        },
      ],
    },
  };
  return {
    static_resources: {
      listeners: [
        {
          address: socketAddress(port),
          filter_chains: [{ filters: [{ name: 'http', typed_config: connectionManager }] }],
        },
      ],
      clusters: [
        {
          name: 'service',
          type: 'STATIC',
          lb_policy: 'LEAST_REQUEST',
          connect_timeout: '1s',
          load_assignment: {
            cluster_name: 'service',
            endpoints: [
              {
                lb_endpoints: [{ endpoint: { address: socketAddress(setup.backendPort) } }],
              },
            ],
          },
        },
      ],
    },
  };
}

function socketAddress(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}
