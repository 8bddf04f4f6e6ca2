import type { TransportHandler } from '../../sidecar/transport/transport.ts';

/** An owner of a transport that notes what it is told; each call can be followed up by the test. */
export class RecordingHandler implements TransportHandler {
  readonly #chunks: Buffer[] = [];
  reads = 0;
  drains = 0;
  ends = 0;
  closes = 0;
  error: NodeJS.ErrnoException | null = null;
  /** Off for large transfers: then `text` stays empty. */
  keep = true;
  onReceived: (bytes: Buffer) => void = () => undefined;
  onDrained: () => void = () => undefined;
  onEnded: () => void = () => undefined;

  get text(): string {
    return Buffer.concat(this.#chunks).toString('latin1');
  }

  received(bytes: Buffer): void {
    this.reads++;
    if (this.keep) this.#chunks.push(Buffer.from(bytes));
    this.onReceived(bytes);
  }

  drained(): void {
    this.drains++;
    this.onDrained();
  }

  ended(): void {
    this.ends++;
    this.onEnded();
  }

  closed(error: NodeJS.ErrnoException | null): void {
    this.closes++;
    this.error = error;
  }
}
