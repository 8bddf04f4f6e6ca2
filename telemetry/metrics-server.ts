import { createServer, type Server } from 'node:http';
import { type AddressInfo, isIPv4 } from 'node:net';
import { splitAuthority } from './authority.ts';

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Serves the metrics at `/metrics` on a port of their own. Scrapers are few and quick, so everything is
 * limited tightly; on a loopback address only who calls it by a name of this machine is answered, so that
 * no web page can read them through a name of its own. Rejects when the port cannot be bound.
 */
export class MetricsServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(
    host: string,
    port: number,
    read: () => Promise<string>,
  ): Promise<MetricsServer> {
    const server = createServer(
      { headersTimeout: 5000, requestTimeout: 5000, keepAliveTimeout: 65_000, maxHeaderSize: 8192 },
      (request, response) => {
        const called = splitAuthority(request.headers.host ?? '', 'http').host;
        if (isThisMachine(host) && !isThisMachine(called)) {
          response.writeHead(403).end();
          return;
        }
        const path = request.url?.split('?', 1)[0];
        if (path !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD')) {
          response.writeHead(path === '/metrics' ? 405 : 404).end();
          return;
        }
        read().then(
          (text) => response.writeHead(200, { 'content-type': CONTENT_TYPE }).end(text),
          () => response.writeHead(500).end(),
        );
      },
    );
    server.maxConnections = 32;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    server.on('error', () => {
      // Accepting can fail for want of descriptors; the next scrape tries again.
    });
    return new MetricsServer(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

/** Stricter than a prefix: `127.example.com` is a name of somebody else. */
function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}
