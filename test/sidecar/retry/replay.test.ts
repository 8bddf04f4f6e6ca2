import { expect } from 'chai';
import fc from 'fast-check';
import type { Responder } from '../../../sidecar/message/exchange.ts';
import type { HeaderBlock } from '../../../sidecar/message/head.ts';
import { Replay } from '../../../sidecar/retry/replay.ts';

/** A responder that remembers what it was sent. */
class Sink implements Responder {
  body = Buffer.alloc(0);
  trailers: HeaderBlock | null = null;
  ended = false;
  readonly room: boolean;

  constructor(room = true) {
    this.room = room;
  }

  data(bytes: Buffer): boolean {
    this.body = Buffer.concat([this.body, bytes]);
    return this.room;
  }

  end(trailers: HeaderBlock | null): void {
    this.ended = true;
    this.trailers = trailers;
  }

  abort(): void {}

  resume(): void {}
}

/** Trailers that count how often they were copied. */
function trailersOf(): HeaderBlock & { copies: number } {
  return {
    copies: 0,
    get: () => null,
    set: () => {},
    append: () => {},
    remove: () => {},
    forEach: () => {},
    copy() {
      this.copies++;
      return this;
    },
  };
}

describe('replay', () => {
  it('sends the same bytes to every attempt, whatever the pieces were', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 20 }), (pieces) => {
        const replay = new Replay(65_536);
        for (const piece of pieces) {
          const shared = Buffer.from(piece);
          expect(replay.append(shared)).to.equal(true);
          // The piece belongs to a read buffer, which is used again.
          shared.fill(0xee);
        }

        for (let attempt = 0; attempt < 2; attempt++) {
          const sink = new Sink();
          replay.send(sink);
          expect(sink.body.equals(Buffer.concat(pieces))).to.equal(true);
          expect(sink.ended).to.equal(false);
        }
      }),
    );
  });

  it('holds a body that just fits, and drops one that does not', () => {
    const replay = new Replay(10);

    expect(replay.append(Buffer.alloc(10))).to.equal(true);
    expect(replay.intact).to.equal(true);
    expect(replay.append(Buffer.alloc(1))).to.equal(false);

    expect(replay.intact).to.equal(false);
    expect(replay.length).to.equal(0);
    expect(replay.append(Buffer.alloc(1)), 'not again after a gap').to.equal(false);
  });

  it('sends the end when it is known, with trailers of its own to each attempt', () => {
    const replay = new Replay(10);
    const trailers = trailersOf();
    replay.append(Buffer.from('x'));
    replay.end(trailers);

    const sink = new Sink();
    replay.send(sink);
    replay.send(new Sink());

    expect(sink.ended).to.equal(true);
    expect(trailers.copies).to.equal(2);
  });

  it('passes on that the responder wants to be waited for', () => {
    const replay = new Replay(10);
    expect(replay.send(new Sink(false)), 'nothing sent').to.equal(true);
    replay.append(Buffer.from('x'));

    expect(replay.send(new Sink(false))).to.equal(false);
    expect(replay.send(new Sink(true))).to.equal(true);
  });
});
