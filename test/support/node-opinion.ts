import { type IncomingMessage, request, type Server } from 'node:http';
import { Duplex } from 'node:stream';

/** A request as `node:http` read it, to its end. */
export interface Opinion {
  readonly method: string;
  readonly target: string;
  readonly fields: [string, string][];
  readonly body: string;
  readonly trailers: [string, string][];
}

/** The peer's end of a connection that exists in memory only. */
class Wire extends Duplex {
  override _read(): void {}
  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    done();
  }
}

/** What `node:http` makes of the bytes: the requests it read whole, and whether it refused something. */
export async function opinionOf(
  server: Server,
  stream: string,
): Promise<{ read: Opinion[]; refused: string | null }> {
  const read: Opinion[] = [];
  let refused: string | null = null;
  const onRequest = (request: IncomingMessage, response: { end(): void }) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('latin1');
    });
    request.on('error', () => undefined);
    request.on('end', () => {
      read.push({
        method: request.method ?? '',
        target: request.url ?? '',
        fields: pairsOf(request.rawHeaders),
        body,
        trailers: pairsOf(request.rawTrailers),
      });
      response.end();
    });
  };
  const onError = (error: Error & { code?: string }) => {
    refused ??= error.code ?? error.message;
  };
  server.on('request', onRequest);
  server.on('checkExpectation', onRequest);
  server.on('clientError', onError);
  const wire = new Wire();
  wire.on('error', () => undefined);
  server.emit('connection', wire);
  wire.push(Buffer.from(stream, 'latin1'));
  wire.push(null);
  for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve));
  wire.destroy();
  server
    .removeAllListeners('request')
    .removeAllListeners('clientError')
    .removeAllListeners('checkExpectation');
  return { read, refused };
}

/** A response as `node:http` read it, to its end. */
export interface ResponseOpinion {
  readonly status: number;
  readonly fields: [string, string][];
  readonly body: string;
}

/** What `node:http` makes of the answer to a GET that ends with its connection; null when it refuses it. */
export async function responseOpinionOf(stream: string): Promise<ResponseOpinion | null> {
  const wire = new Wire();
  let read: ResponseOpinion | null = null;
  const asking = request({ createConnection: () => wire as never, insecureHTTPParser: false });
  asking.on('error', () => undefined);
  asking.on('upgrade', () => undefined);
  asking.on('response', (response) => {
    let body = '';
    response.on('data', (chunk: Buffer) => {
      body += chunk.toString('latin1');
    });
    response.on('error', () => undefined);
    response.on('end', () => {
      if (!response.complete) return;
      read = { status: response.statusCode ?? 0, fields: pairsOf(response.rawHeaders), body };
    });
  });
  asking.end();
  wire.push(Buffer.from(stream, 'latin1'));
  wire.push(null);
  for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve));
  asking.destroy();
  return read;
}

function pairsOf(raw: readonly string[]): [string, string][] {
  return raw.flatMap((name, i): [string, string][] =>
    i % 2 === 0 ? [[name, raw[i + 1] ?? '']] : [],
  );
}
