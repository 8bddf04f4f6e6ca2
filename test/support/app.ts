import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A small application on a loopback port; says its name in `x-instance`. */
export class App {
  readonly name: string;
  readonly port: number;
  readonly #server: Server;

  private constructor(name: string, server: Server) {
    this.name = name;
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(name: string, handler: RequestListener = answer): Promise<App> {
    const server = createServer((incoming, outgoing) => {
      outgoing.setHeader('x-instance', name);
      handler(incoming, outgoing);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new App(name, server);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const answer: RequestListener = (incoming, outgoing) => {
  incoming.resume();
  incoming.on('end', () => outgoing.end('ok\n'));
};
