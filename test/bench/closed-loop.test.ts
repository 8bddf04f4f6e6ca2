import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { expect } from 'chai';
import { closedLoop } from '../../bench/load/closed-loop.ts';

describe('closed-loop load', () => {
  let server: Server;
  let requests: number;

  const serve = async (answer: (request: number) => string): Promise<number> => {
    requests = 0;
    server = createServer((socket) => {
      socket.on('data', () => socket.write(answer(++requests)));
      socket.on('error', () => socket.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };

  afterEach(async () => {
    server.close();
    await once(server, 'close');
  });

  it('counts exactly what the server answered', async () => {
    const port = await serve(() => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');

    const result = await closedLoop({
      port,
      path: '/',
      bodyBytes: 2,
      connections: 3,
      seconds: 0.05,
    });

    expect(result.requests).to.equal(requests);
    expect(result.requests).to.be.at.least(3);
  });

  it('does not count a run with a wrong answer in it', async () => {
    const port = await serve((request) =>
      request === 3
        ? 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n'
        : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    );

    const error = await closedLoop({ port, path: '/', bodyBytes: 2, connections: 1, seconds: 5 })
      .then(() => null)
      .catch((reason: unknown) => reason);

    expect(error).to.be.instanceOf(Error);
    expect(String(error)).to.contain('request 3 of a connection: wrong status');
  });
});
