import { connect, type Socket } from 'node:net';

const headEnd = Buffer.from('\r\n\r\n');

/** How one exchange went; anything but `ok` makes the measurement void. */
export type Outcome = 'ok' | 'wrong status' | 'wrong length' | 'connection lost';

/**
 * One keep-alive connection that has one request under way at most and measures nothing itself. Reads just enough of
 * HTTP/1.1 to know that the whole right answer came: status 200 and a Content-Length of `bodyBytes`.
 */
export class RequestConnection {
  readonly #socket: Socket;
  readonly #request: Buffer;
  readonly #bodyBytes: number;
  #head: Buffer | null = null;
  #bodyLeft = -1;
  #onDone: ((outcome: Outcome) => void) | null = null;

  constructor(port: number, path: string, bodyBytes: number) {
    this.#request = Buffer.from(
      `GET ${path} HTTP/1.1\r\nHost: bench.test\r\nUser-Agent: outrigger-bench\r\nAccept: */*\r\n\r\n`,
    );
    this.#bodyBytes = bodyBytes;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (bytes) => this.#read(bytes));
    this.#socket.on('error', () => this.#finish('connection lost'));
    this.#socket.on('close', () => this.#finish('connection lost'));
  }

  send(onDone: (outcome: Outcome) => void): void {
    this.#onDone = onDone;
    this.#bodyLeft = -1;
    if (this.#socket.destroyed) this.#finish('connection lost');
    else this.#socket.write(this.#request);
  }

  close(): void {
    this.#onDone = null;
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    if (this.#bodyLeft >= 0) {
      this.#count(bytes.length);
      return;
    }
    const head = this.#head === null ? bytes : Buffer.concat([this.#head, bytes]);
    const end = head.indexOf(headEnd);
    if (end < 0) {
      this.#head = head;
      return;
    }
    this.#head = null;
    const text = head.toString('latin1', 0, end);
    if (!text.startsWith('HTTP/1.1 200')) {
      this.#finish('wrong status');
      return;
    }
    const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
    if (Number(length) !== this.#bodyBytes) {
      this.#finish('wrong length');
      return;
    }
    this.#bodyLeft = this.#bodyBytes;
    this.#count(head.length - end - headEnd.length);
  }

  #count(received: number): void {
    this.#bodyLeft -= received;
    if (this.#bodyLeft < 0) this.#finish('wrong length');
    else if (this.#bodyLeft === 0) this.#finish('ok');
  }

  #finish(outcome: Outcome): void {
    const onDone = this.#onDone;
    this.#onDone = null;
    onDone?.(outcome);
  }
}
