import type { Failure } from '../../sidecar/failure.ts';
import { defaultHttp1Limits, type Http1Limits } from '../../sidecar/http1/limits.ts';
import { Http1ServerConnection } from '../../sidecar/http1/server.ts';
import type { Requester, Responder } from '../../sidecar/message/exchange.ts';
import type { HeaderBlock, RequestHead } from '../../sidecar/message/head.ts';
import { HeaderList } from '../../sidecar/message/headers.ts';
import { FakeClock } from './fake-clock.ts';
import { MemoryTransport } from './memory-transport.ts';

type Fields = readonly (readonly [string, string])[];

/** What the handler of a downstream connection saw of one exchange, and its way to answer. */
export class SeenExchange implements Responder {
  readonly head: RequestHead;
  readonly requester: Requester;
  readonly requestId = 'seen-1';
  readonly traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  body = '';
  ended = false;
  trailers: HeaderBlock | null = null;
  failure: Failure | null = null;
  resumed = 0;
  /** What `data` answers. */
  room = true;

  constructor(head: RequestHead, requester: Requester) {
    this.head = head;
    this.requester = requester;
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

  /** Answers with a whole response of known length. */
  answer(status = 200, body = '', fields: Fields = []): void {
    this.begin(status, body.length, fields);
    if (body !== '') this.requester.data(Buffer.from(body, 'latin1'));
    this.requester.end(null);
  }

  /** Sends the head alone; null: the length is unknown. */
  begin(status: number, contentLength: number | null, fields: Fields = []): void {
    this.requester.head({
      status,
      headers: HeaderList.of(fields),
      contentLength,
      ended: contentLength === 0,
    });
  }
}

/** A downstream connection over memory, with everything that its handler saw. */
export class Downstream {
  readonly transport = new MemoryTransport();
  readonly clock = new FakeClock();
  readonly exchanges: SeenExchange[] = [];
  readonly refusals: Failure[] = [];
  readonly connection: Http1ServerConnection;
  closed = 0;
  /** Answers each request when it is complete. */
  autoAnswer: ((exchange: SeenExchange) => void) | null = null;

  constructor(
    options: {
      limits?: Partial<Http1Limits>;
      defaultAuthority?: string | null;
      allowConnect?: boolean;
      upgrades?: readonly string[];
    } = {},
  ) {
    this.connection = new Http1ServerConnection(this.transport, {
      handler: (head, requester) => this.#open(head, requester),
      peer: { address: '127.0.0.1', port: 40_000, identity: null },
      limits: { ...defaultHttp1Limits, ...options.limits },
      clock: this.clock,
      scheme: 'http',
      defaultAuthority: options.defaultAuthority ?? null,
      allowConnect: options.allowConnect ?? false,
      ...(options.upgrades === undefined ? {} : { upgrades: options.upgrades }),
      trusted: true,
      refused: (failure) => {
        this.refusals.push(failure);
        return `refused-${this.refusals.length}`;
      },
      closed: () => this.closed++,
    });
    this.transport.attach(this.connection);
  }

  get output(): string {
    return this.transport.output;
  }

  /** The exchange opened last. */
  get last(): SeenExchange {
    const last = this.exchanges.at(-1);
    if (last === undefined) throw new Error('no request was taken');
    return last;
  }

  /** Statuses of the final responses written so far. */
  get statuses(): number[] {
    return [...this.output.matchAll(/HTTP\/1\.1 ([2-5]\d\d) /g)].map((match) => Number(match[1]));
  }

  send(bytes: string | Buffer): void {
    this.transport.deliver(bytes);
  }

  #open(head: RequestHead, requester: Requester): Responder {
    const exchange = new SeenExchange(head, requester);
    this.exchanges.push(exchange);
    const { autoAnswer } = this;
    if (autoAnswer === null) return exchange;
    const end = exchange.end.bind(exchange);
    exchange.end = (trailers) => {
      end(trailers);
      autoAnswer(exchange);
    };
    return exchange;
  }
}

/** Names and values of a block, in order. */
export function fieldsOf(headers: HeaderBlock): [string, string][] {
  const fields: [string, string][] = [];
  headers.forEach((name, value) => fields.push([name, value]));
  return fields;
}
