import type { Failure } from '../../sidecar/failure.ts';
import { Http1ClientConnection } from '../../sidecar/http1/client.ts';
import { defaultHttp1Limits, type Http1Limits } from '../../sidecar/http1/limits.ts';
import type { Party, Requester } from '../../sidecar/message/exchange.ts';
import type { HeaderBlock, RequestHead, ResponseHead } from '../../sidecar/message/head.ts';
import { HeaderList } from '../../sidecar/message/headers.ts';
import { FakeClock } from './fake-clock.ts';
import { MemoryTransport } from './memory-transport.ts';

/** What a requester was told. */
export class SeenResponse implements Requester {
  readonly heads: ResponseHead[] = [];
  body = '';
  ended = false;
  trailers: HeaderBlock | null = null;
  failure: Failure | null = null;
  resumed = 0;
  /** What `data` answers. */
  room = true;
  /** Called with each head, inside the call. */
  onHead: ((head: ResponseHead) => void) | null = null;

  get statuses(): number[] {
    return this.heads.map(({ status }) => status);
  }

  head(head: ResponseHead): void {
    this.heads.push(head);
    this.onHead?.(head);
  }

  data(bytes: Buffer): boolean {
    this.body += bytes.toString('latin1');
    return this.room;
  }

  end(trailers: HeaderBlock | null): void {
    this.ended = true;
    this.trailers = trailers;
  }

  abort(failure: Failure): void {
    this.failure = failure;
  }

  resume(): void {
    this.resumed++;
  }
}

/** A request head with defaults. */
export function requestHead(head: Partial<RequestHead> = {}): RequestHead {
  return {
    method: 'GET',
    scheme: 'http',
    authority: 'a',
    path: '/',
    version: '1.1',
    protocol: null,
    headers: HeaderList.of(),
    contentLength: null,
    ended: true,
    ...head,
  };
}

/** An upstream connection over memory. */
export class UpstreamLink {
  readonly transport = new MemoryTransport();
  readonly clock = new FakeClock();
  readonly connection: Http1ClientConnection;
  /** Times the connection was given back. */
  idle = 0;
  closed: (NodeJS.ErrnoException | null)[] = [];

  constructor(limits: Partial<Http1Limits> = {}) {
    this.connection = new Http1ClientConnection(this.transport, {
      limits: { ...defaultHttp1Limits, ...limits },
      clock: this.clock,
      idle: () => this.idle++,
      closed: (_connection, error) => this.closed.push(error),
    });
    this.transport.attach(this.connection);
  }

  get output(): string {
    return this.transport.output;
  }

  /** Opens an exchange; a request that is `ended` ends at once. */
  open(head: Partial<RequestHead> = {}): { response: SeenResponse; responder: Party } {
    const response = new SeenResponse();
    const complete = requestHead(head);
    const responder = this.connection.open(complete, response);
    if (complete.ended) responder.end(null);
    return { response, responder };
  }

  receive(bytes: string | Buffer): void {
    this.transport.deliver(bytes);
  }
}
