import { existsSync, readdirSync } from 'node:fs';
import { expect } from 'chai';
import { Http1Path } from '../../support/http1-path.ts';
import { statusOf, type WireMessage } from '../../support/one-reading.ts';
import { answerTo, type OriginConnection } from '../../support/recording-origin.ts';
import { until } from '../../support/until.ts';

const CLIENTS = 24;
const ROUNDS = 60;

/** Small and repeatable (mulberry32): the order of events between sockets is not, what is asked for is. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

/** Open descriptors of a process; 0 where there is no `/proc`. */
function openFiles(pid: number): number {
  return existsSync('/proc/self/fd') ? readdirSync(`/proc/${pid}/fd`).length : 0;
}

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** Ways of an origin to answer; all but the first few break something. */
const ways: ((it: OriginConnection, whole: string, random: (below: number) => number) => void)[] = [
  (it, whole) => it.send(whole),
  (it, whole) => it.send(whole),
  (it, whole) => it.finish(whole, 'fin'),
  (it, whole) => it.send(`HTTP/1.1 103 Early Hints\r\n\r\n${whole}`),
  (it, whole, random) => {
    const cut = random(whole.length);
    it.send(whole.slice(0, cut));
    void turns(random(4)).then(() => it.send(whole.slice(cut)));
  },
  (it, whole) => it.send(`${whole}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen`),
  (it, whole, random) => it.finish(whole.slice(0, random(whole.length)), 'fin'),
  (it, whole, random) => it.finish(whole.slice(0, random(whole.length)), 'reset'),
  (it) => it.finish('', 'reset'),
  (it) => it.send('HTTP/1.1 200 OK\r\nContent-Length: 6\r\nContent-Length: 6\r\n\r\nstolen'),
  (it, whole) =>
    it.send(whole.replace('HTTP/1.1 200 OK\r\n', 'HTTP/1.1 200 OK\r\nConnection: close\r\n')),
];

describe('many clients and origins that misbehave, through the sidecar', function () {
  this.timeout(60_000);

  let path: Http1Path;

  before(async () => {
    path = await Http1Path.start();
  });

  after(() => path.stop());

  it('never mix up their answers', async () => {
    const counts = { whole: 0, refused: 0, broken: 0 };
    const run = async (client: number): Promise<void> => {
      const random = generator(client + 1);
      for (let round = 0; round < ROUNDS; round++) {
        const own = Array.from(
          { length: 1 + random(3) },
          (_, i) => `/talk/${client}/${round}/${i}`,
        );
        let bytes = '';
        for (const target of own) {
          const way = ways[random(ways.length)] as (typeof ways)[number];
          path.origin.scripts.set(target, {
            at: 'end',
            run: (it, request) => way(it, answerTo(request as WireMessage), random),
          });
          bytes +=
            random(2) === 0
              ? `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`
              : `POST ${target} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`;
        }
        const peer = await path.dial();
        const cut = random(bytes.length);
        peer.send(bytes.slice(0, cut));
        await turns(random(3));
        const leaves = random(8);
        if (leaves === 0) peer.reset();
        else if (leaves === 1) peer.hangUp();
        else {
          peer.send(bytes.slice(cut));
          if (leaves === 2) peer.half();
          if (leaves === 3) await turns(random(20)).then(() => peer.reset());
          else await expectOwn(peer.answer.bind(peer), own, counts);
          expect(peer.text).not.to.contain('stolen');
          peer.hangUp();
        }
        for (const target of own) path.origin.scripts.delete(target);
      }
    };
    await path.othersAreServed();
    const before = openFiles(path.sidecar.pid);
    await Promise.all(Array.from({ length: CLIENTS }, (_, client) => run(client)));

    await path.othersAreServed();
    // What is kept for the next requests: as many upstream connections as there were clients.
    await until(
      () => openFiles(path.sidecar.pid) <= before + CLIENTS * 2,
      10_000,
      () => `${openFiles(path.sidecar.pid)} files are open, ${before} were`,
    );
    expect(counts.whole).to.be.greaterThan(500);
    expect(counts.refused).to.be.greaterThan(50);
    expect(counts.broken).to.be.greaterThan(50);
  });
});

/** Each answer is that of its request, or a refusal of the sidecar, until the connection ends. */
async function expectOwn(
  answer: () => Promise<WireMessage | null>,
  own: readonly string[],
  counts: { whole: number; refused: number; broken: number },
): Promise<void> {
  for (const target of own) {
    const got = await answer();
    if (got === null) {
      counts.broken++;
      return;
    }
    if (statusOf(got) === 200) {
      expect(got.body.split(' ')[1]).to.equal(target);
      counts.whole++;
    } else {
      expect(statusOf(got)).to.equal(502);
      counts.refused++;
    }
  }
}
