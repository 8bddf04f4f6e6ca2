import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { bodySizes } from './body-sizes.ts';

// The service behind every subject, in a process of its own: raw sockets, answers made once, because the faster it is the
// more of a shared machine is left to the subject. The OTLP sink beside it takes spans and forgets them.

const answers = new Map(
  [...bodySizes].map(([path, size]) => [
    `GET ${path} HTTP/1.1`,
    Buffer.from(
      `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`,
    ),
  ]),
);
const notFound = Buffer.from('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
let served = 0;

const service = createServer({ noDelay: true }, (socket) => {
  let rest = '';
  socket.on('data', (bytes) => {
    rest = answerAll(socket, rest + bytes.toString('latin1'));
  });
  socket.on('error', () => socket.destroy());
});

/** Answers each complete head (bodies are not expected) and gives back what follows the last one. */
function answerAll(socket: Socket, received: string): string {
  let from = 0;
  for (;;) {
    const end = received.indexOf('\r\n\r\n', from);
    if (end < 0) return received.slice(from);
    const line = received.slice(from, received.indexOf('\r\n', from));
    socket.write(answers.get(line) ?? notFound);
    served++;
    from = end + 4;
  }
}

const sink = createHttpServer((request, response) => {
  request.resume();
  request.on('end', () => response.end());
});

service.listen(0, '127.0.0.1', () => {
  sink.listen(0, '127.0.0.1', () => {
    process.send?.({
      port: (service.address() as AddressInfo).port,
      otlpPort: (sink.address() as AddressInfo).port,
    });
  });
});
process.on('message', () => process.send?.({ served }));
process.on('disconnect', () => process.exit(0));
