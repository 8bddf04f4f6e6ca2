import type { Failure } from '../../sidecar/failure.ts';
import type { Requester } from '../../sidecar/message/exchange.ts';
import type { HeaderBlock, RequestHead } from '../../sidecar/message/head.ts';
import { HeaderList } from '../../sidecar/message/headers.ts';
import type {
  Upstream,
  UpstreamResponder,
  UpstreamStats,
} from '../../sidecar/upstream/upstream.ts';

/** One exchange as an upstream sees it: what arrived, and the requester to answer through. */
export class ScriptedExchange implements UpstreamResponder {
  readonly head: RequestHead;
  readonly requester: Requester;
  readonly reused = false;
  readonly openedAt = 0;
  body = '';
  ended = false;
  trailers: HeaderBlock | null = null;
  aborted: Failure | null = null;
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
    this.aborted = failure;
  }

  resume(): void {
    this.resumed++;
  }

  /** Answers whole. */
  respond(status: number, body = '', fields: readonly (readonly [string, string])[] = []): void {
    this.requester.head({
      status,
      headers: HeaderList.of(fields),
      contentLength: body.length,
      ended: body === '',
    });
    if (body !== '') this.requester.data(Buffer.from(body, 'latin1'));
    this.requester.end(null);
  }

  fail(failure: Failure): void {
    this.requester.abort(failure);
  }
}

/** An upstream that notes what it is sent and answers when told to. */
export class ScriptedUpstream implements Upstream {
  readonly exchanges: ScriptedExchange[] = [];
  closed = false;
  readonly stats: UpstreamStats = {
    active: 0,
    idle: 0,
    connecting: 0,
    opened: 0,
    waiting: 0,
    learnedIdleMs: null,
  };

  open(head: RequestHead, requester: Requester): UpstreamResponder {
    const exchange = new ScriptedExchange(head, requester);
    this.exchanges.push(exchange);
    return exchange;
  }

  close(): void {
    this.closed = true;
  }

  get last(): ScriptedExchange {
    const last = this.exchanges.at(-1);
    if (last === undefined) throw new Error('nothing was sent to this upstream');
    return last;
  }
}
