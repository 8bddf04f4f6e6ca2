import { expect } from 'chai';
import { Downstream } from '../../support/http1-downstream.ts';

/** CPU time of the fastest of a few runs, microseconds. */
function cost(run: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, user + system);
  }
  return least;
}

function drip(bytes: Buffer): void {
  const downstream = new Downstream({ limits: { maxFields: 10_000, maxHeadBytes: 1_000_000 } });
  downstream.autoAnswer = (exchange) => exchange.answer();
  for (let i = 0; i < bytes.length; i++) downstream.send(bytes.subarray(i, i + 1));
  expect(downstream.statuses).to.deep.equal([200]);
}

describe('work', function () {
  this.timeout(30_000);

  for (const [name, make] of [
    [
      'a head that drips byte by byte',
      (n: number) => `GET / HTTP/1.1\r\nHost: a\r\n${'X-Y: abcdefgh\r\n'.repeat(n)}\r\n`,
    ],
    [
      'a body of tiny chunks',
      (n: number) =>
        `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(n)}0\r\n\r\n`,
    ],
  ] as const) {
    it(`is linear in the bytes of ${name}`, () => {
      const small = Buffer.from(make(300), 'latin1');
      const large = Buffer.from(make(3000), 'latin1');
      drip(small);

      // Ten times the input; quadratic work would cost a hundred times as much.
      expect(cost(() => drip(large))).to.be.lessThan(
        40 *
          Math.max(
            2000,
            cost(() => drip(small)),
          ),
      );
    });
  }
});
