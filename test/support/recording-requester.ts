import type { Failure } from '../../sidecar/failure.ts';
import type { Requester } from '../../sidecar/message/exchange.ts';
import type { HeaderBlock, ResponseHead } from '../../sidecar/message/head.ts';

/** A downstream that notes what it is told. */
export class RecordingRequester implements Requester {
  readonly heads: ResponseHead[] = [];
  body = '';
  ends = 0;
  trailers: HeaderBlock | null = null;
  aborted: Failure | null = null;
  resumed = 0;
  /** What `data` answers. */
  room = true;

  head(head: ResponseHead): void {
    this.heads.push(head);
  }

  data(bytes: Buffer): boolean {
    this.body += bytes.toString('latin1');
    return this.room;
  }

  end(trailers: HeaderBlock | null): void {
    this.ends++;
    this.trailers = trailers;
  }

  abort(failure: Failure): void {
    this.aborted = failure;
  }

  resume(): void {
    this.resumed++;
  }

  /** Status of the final head, 0 before it. */
  get status(): number {
    const last = this.heads.at(-1);
    return last === undefined || last.status < 200 ? 0 : last.status;
  }

  field(name: string): string | null {
    return this.heads.at(-1)?.headers.get(name) ?? null;
  }
}
