import { createServer, type RequestListener, request, type Server } from 'node:http';
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

/** An application that calls a local port, hands the trace context on, and answers with what it was told. */
export function asksFirst(port: number): RequestListener {
  return (incoming, outgoing) => {
    incoming.resume();
    const headers: Record<string, string> = {};
    for (const name of ['traceparent', 'tracestate', 'baggage']) {
      const value = incoming.headers[name];
      if (typeof value === 'string') headers[name] = value;
    }
    const call = request({ host: '127.0.0.1', port, path: incoming.url, headers }, (answered) => {
      outgoing.statusCode = answered.statusCode ?? 500;
      answered.pipe(outgoing);
    });
    call.on('error', () => {
      outgoing.statusCode = 500;
      outgoing.end();
    });
    call.end();
  };
}
