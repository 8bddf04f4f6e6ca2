import { expect } from 'chai';
import { type Door, doors, Http1Path } from '../../support/http1-path.ts';
import { statusOf, valuesOf, type WireMessage } from '../../support/one-reading.ts';
import type { RawClient } from '../../support/raw-client.ts';
import type { OriginConnection } from '../../support/recording-origin.ts';
import { type Hostile, hostileResponses } from './hostile-responses.ts';
import { malformedRequests } from './malformed-requests.ts';
import { probes } from './probe-cases.ts';

describe('HTTP/1.1 through the sidecar', function () {
  this.timeout(15_000);

  let path: Http1Path;

  before(async () => {
    path = await Http1Path.start();
  });

  after(() => path.stop());

  describe('a malformed or ambiguous request', () => {
    const refusals = probes.filter(
      (probe): probe is typeof probe & { outcome: number } =>
        probe.outcome !== 'waits' && probe.outcome !== 200,
    );
    const cases = [
      ...malformedRequests,
      ...refusals.map(({ id, bytes, outcome }) => ({ name: id, bytes, status: outcome })),
    ];

    async function isRefused(door: Door, client: RawClient, status: number, whole: number) {
      const answer = await client.answer();
      const ending = await client.ended();

      expect(answer, client.text).not.to.equal(null);
      if (answer === null) return;
      expect(statusOf(answer)).to.equal(status);
      expect(valuesOf(answer, 'connection')).to.deep.equal(['close']);
      expect(valuesOf(answer, 'outrigger-error')).to.have.length(1);
      expect([client.rest, ending]).to.deep.equal(['', 'fin']);
      await path.othersAreServed(door);
      const reached = path.origin.requests.slice(whole).map(({ start }) => start);
      expect(reached).to.deep.equal([path.canary]);
      await path.nothingHalfSaid();
    }

    for (const door of doors)
      for (const { name, bytes, status } of cases) {
        // The application behind the inbound port has a name of its own for requests without one.
        if (name === 'COMP-HTTP10-NO-HOST' && door === 'inbound') continue;
        it(`is refused with ${status} at the ${door} port: ${name}`, async () => {
          const whole = path.origin.requests.length;
          const client = await path.dial(door);
          client.send(bytes);

          await isRefused(door, client, status, whole);
        });
      }

    for (const { name, bytes, status } of cases.filter(({ bytes }) => bytes.length < 400)) {
      it(`is refused with ${status} when it comes byte by byte: ${name}`, async () => {
        const whole = path.origin.requests.length;
        const client = await path.dial();
        await client.drip(bytes);

        await isRefused('outbound', client, status, whole);
      });

      it(`is refused with ${status} between two good ones: ${name}`, async () => {
        const client = await path.dial();
        client.send(`GET /before HTTP/1.1\r\nHost: localhost\r\n\r\n${bytes}`);
        client.send('GET /behind HTTP/1.1\r\nHost: localhost\r\n\r\n');

        expect((await client.answer())?.body).to.equal('GET /before 0 ');
        const whole = path.origin.requests.length;
        await isRefused('outbound', client, status, whole);
      });
    }
  });

  describe('a response', () => {
    let asked = 0;

    /** Asks for something that the origin answers as told, and returns what the client got. */
    async function ask(
      hostile: Hostile,
      options: { split?: boolean; behind?: string; version?: string } = {},
    ): Promise<{ client: RawClient; answer: WireMessage | null; connection: OriginConnection }> {
      const target = `/hostile/${++asked}`;
      let connection: OriginConnection | null = null;
      path.origin.scripts.set(target, {
        at: 'end',
        run: (now) => {
          connection = now;
          if (options.split === true) void sendSplit(now, hostile);
          else now.finish(hostile.bytes, hostile.ending);
        },
      });
      const client = await path.dial();
      const version = options.version ?? '1.1';
      client.send(
        `${hostile.method} ${target} HTTP/${version}\r\nHost: localhost\r\n\r\n${options.behind ?? ''}`,
      );
      const answer = await client.answer(hostile.method);
      return { client, answer, connection: connection as unknown as OriginConnection };
    }

    async function sendSplit(connection: OriginConnection, { bytes, ending }: Hostile) {
      for (const byte of bytes) {
        connection.send(byte);
        await new Promise((resolve) => setImmediate(resolve));
      }
      connection.finish('', ending);
    }

    /** The connection of an answer with more behind it is dropped, however late the rest comes. */
    async function strayIsDropped(hostile: Hostile, connection: OriginConnection) {
      if (!hostile.longer) return;
      await path.origin.when(() => connection.over, 'the end of a connection with a stray answer');
    }

    function expectFate({ fate, body }: Hostile, client: RawClient, answer: WireMessage | null) {
      if (fate === 'truncated') {
        expect(answer, client.text).to.equal(null);
        return;
      }
      expect(answer === null ? null : statusOf(answer), client.text).to.equal(fate);
      expect(valuesOf(answer as WireMessage, 'outrigger-error')).to.have.length(
        fate === 502 ? 1 : 0,
      );
      if (fate !== 502) expect(answer?.body).to.equal(body);
    }

    for (const hostile of hostileResponses) {
      it(`harms nobody else and ends in ${hostile.fate}: ${hostile.name}`, async () => {
        const { client, answer } = await ask(hostile);

        expectFate(hostile, client, answer);
        expect(client.rest).not.to.contain('stolen');
        client.hangUp();
        await path.othersAreServed('outbound');
        await path.nothingHalfSaid();
      });

      if (hostile.bytes.length < 400)
        it(`does so byte by byte: ${hostile.name}`, async () => {
          const { client, answer, connection } = await ask(hostile, { split: true });

          // What has not left yet when the origin resets never comes.
          if (hostile.ending === 'reset' && answer !== null) expect(statusOf(answer)).to.equal(502);
          else expectFate(hostile, client, answer);
          await strayIsDropped(hostile, connection);
          client.hangUp();
          await path.othersAreServed('outbound');
          await path.nothingHalfSaid();
        });

      it(`does not spoil a pipelined request behind it: ${hostile.name}`, async () => {
        const behind = 'GET /pipelined HTTP/1.1\r\nHost: localhost\r\n\r\n';
        const { client, answer, connection } = await ask(hostile, { behind });

        expectFate(hostile, client, answer);
        await strayIsDropped(hostile, connection);
        if (answer !== null && valuesOf(answer, 'connection')[0] !== 'close') {
          const next = await client.answer();
          expect(next?.body).to.equal('GET /pipelined 0 ');
        }
        client.hangUp();
        await path.othersAreServed('outbound');
      });

      it(`is seen so by a client of HTTP/1.0: ${hostile.name}`, async () => {
        const { client, answer } = await ask(hostile, { version: '1.0' });
        const ending = await client.ended();

        if (hostile.fate === 'truncated') {
          const whole = answer !== null && ending === 'fin';
          expect(whole, client.text).to.equal(false);
        } else expectFate(hostile, client, answer);
        expect(client.text).not.to.match(/\r\ntransfer-encoding|HTTP\/1.1 1/i);
        await path.othersAreServed('outbound');
      });
    }
  });
});
