import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { expect } from 'chai';
import { openLoop } from '../../bench/load/open-loop.ts';

describe('open-loop load', () => {
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

  const load = (port: number) =>
    openLoop({
      port,
      path: '/',
      bodyBytes: 2,
      connections: 4,
      requestsPerSecond: 1000,
      seconds: 0.1,
    });

  afterEach(async () => {
    server.close();
    await once(server, 'close');
  });

  it('sends what the rate asks for and counts every answer', async () => {
    const port = await serve(() => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');

    const result = await load(port);

    expect([...result.outcomes]).to.deep.equal([['ok', 100]]);
    expect(requests).to.equal(104, 'one more for each connection, to open it');
    expect(result.p50Us).to.be.greaterThan(0);
    expect(result.p99Us).to.be.at.least(result.p50Us);
  });

  it('tells a refusal from an answer', async () => {
    const port = await serve((request) =>
      request === 50
        ? 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n'
        : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    );

    const result = await load(port);

    expect(result.outcomes.get('wrong status')).to.equal(1);
    expect(result.outcomes.get('ok')).to.equal(99);
  });

  it('tells an answer of the wrong length', async () => {
    const port = await serve((request) =>
      request === 50
        ? 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nmore'
        : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    );

    const result = await load(port);

    expect(result.outcomes.get('wrong length')).to.equal(1);
  });

  it('reads answers that arrive in pieces', async () => {
    const port = await serve(() => '');
    server.removeAllListeners('connection');
    server.on('connection', (socket) => {
      socket.setNoDelay(true);
      socket.on('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Le');
        setImmediate(() => socket.write('ngth: 2\r\n\r'));
        setImmediate(() => setImmediate(() => socket.write('\nok')));
      });
    });

    const result = await load(port);

    expect([...result.outcomes]).to.deep.equal([['ok', 100]]);
  });
});
