import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { Server as GrpcServer, ServerCredentials, status } from '@grpc/grpc-js';
import { decodePoints, decodeSpans, type OtlpPoint, type OtlpSpan } from './otlp-decode.ts';

/** What the receiver does with an export: take it, never answer, cut the connection, or answer with this status. */
export type ReceiverBehaviour = 'accept' | 'hang' | 'reset' | number;

type Signal = 'traces' | 'metrics';

/**
 * A collector inside the test process, for OTLP over HTTP/protobuf or gRPC. It keeps everything it was
 * sent; `behaviour` may change at any time.
 */
export class OtlpReceiver {
  behaviour: ReceiverBehaviour = 'accept';
  readonly spans: OtlpSpan[] = [];
  readonly points: OtlpPoint[] = [];
  /** Header fields or metadata of each export. */
  readonly headers: IncomingHttpHeaders[] = [];
  /** Exports that arrived, whatever became of them. */
  requests = 0;
  #url = '';
  #close: () => Promise<void> = () => Promise.resolve();
  #changed: (() => void)[] = [];

  static async start(protocol: 'http/protobuf' | 'grpc' = 'http/protobuf'): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    await (protocol === 'grpc' ? receiver.#startGrpc() : receiver.#startHttp());
    return receiver;
  }

  /** Base URL, as in `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  get url(): string {
    return this.#url;
  }

  close(): Promise<void> {
    return this.#close();
  }

  /** Resolves as soon as `ready` holds after an export; rejects after `timeoutMs`. */
  async until(ready: (receiver: OtlpReceiver) => boolean, timeoutMs = 4000): Promise<void> {
    if (ready(this)) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`OTLP receiver: ${this.spans.length} spans after ${timeoutMs} ms`)),
        timeoutMs,
      );
      const look = (): void => {
        if (!ready(this)) {
          this.#changed.push(look);
          return;
        }
        clearTimeout(timer);
        resolve();
      };
      this.#changed.push(look);
    });
  }

  #take(signal: Signal, body: Buffer): void {
    if (signal === 'traces') this.spans.push(...decodeSpans(body));
    else this.points.push(...decodePoints(body));
  }

  #notify(): void {
    for (const look of this.#changed.splice(0)) look();
  }

  async #startHttp(): Promise<void> {
    const sockets = new Set<Socket>();
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('error', () => {});
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.requests++;
        this.headers.push(request.headers);
        const body = Buffer.concat(chunks);
        if (this.behaviour === 'reset') request.socket.resetAndDestroy();
        else if (typeof this.behaviour === 'number') response.writeHead(this.behaviour).end();
        else if (this.behaviour === 'accept') {
          const signal = request.url === '/v1/metrics' ? 'metrics' : 'traces';
          const gzip = request.headers['content-encoding'] === 'gzip';
          this.#take(signal, gzip ? gunzipSync(body) : body);
          response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
        }
        this.#notify();
      });
    });
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#close = () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      });
  }

  async #startGrpc(): Promise<void> {
    const server = new GrpcServer();
    const method = (signal: Signal, service: string) => ({
      path: `/opentelemetry.proto.collector.${service}/Export`,
      requestStream: false,
      responseStream: false,
      requestSerialize: (body: Buffer) => body,
      requestDeserialize: (body: Buffer) => ({ signal, body }),
      responseSerialize: (body: Buffer) => body,
      responseDeserialize: (body: Buffer) => body,
    });
    server.addService(
      {
        traces: method('traces', 'trace.v1.TraceService'),
        metrics: method('metrics', 'metrics.v1.MetricsService'),
      },
      {
        traces: (...call: GrpcCall) => this.#answer(...call),
        metrics: (...call: GrpcCall) => this.#answer(...call),
      },
    );
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    this.#url = `http://127.0.0.1:${port}`;
    this.#close = () => {
      server.forceShutdown();
      return Promise.resolve();
    };
  }

  #answer(...[call, done]: GrpcCall): void {
    this.requests++;
    this.headers.push(call.metadata.getMap() as IncomingHttpHeaders);
    const { signal, body } = call.request;
    if (this.behaviour === 'accept') {
      this.#take(signal, body);
      done(null, Buffer.alloc(0));
    } else if (this.behaviour !== 'hang') {
      done({ code: status.INTERNAL, details: String(this.behaviour) });
    }
    this.#notify();
  }
}

type GrpcCall = [
  call: {
    readonly request: { readonly signal: Signal; readonly body: Buffer };
    readonly metadata: { getMap(): Record<string, unknown> };
  },
  done: (error: { code: number; details: string } | null, answer?: Buffer) => void,
];
