import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { expect } from 'chai';
import { Failure } from '../../../sidecar/failure.ts';
import { HostName } from '../../../sidecar/transport/host-name.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const A = 1;
const AAAA = 28;

/** A name server that answers every name with the records a test sets, or NXDOMAIN. */
class NameServer {
  records = new Map<number, readonly Buffer[]>();
  ttl = 5;
  queries = 0;
  readonly #socket: Socket = createSocket('udp4');

  async open(): Promise<string> {
    this.#socket.on('message', (query, from) => {
      this.queries++;
      this.#socket.send(this.#answer(query), from.port, from.address);
    });
    this.#socket.bind(0, '127.0.0.1');
    await once(this.#socket, 'listening');
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  close(): void {
    this.#socket.close();
  }

  /** RFC 1035 §4: header, the question as it came, answers that point back at its name. */
  #answer(query: Buffer): Buffer {
    const nameEnd = query.indexOf(0, 12) + 1;
    const question = query.subarray(12, nameEnd + 4);
    const type = query.readUInt16BE(nameEnd);
    const addresses = this.records.get(type) ?? [];
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(this.records.size === 0 ? 0x8183 : 0x8180, 2);
    header.writeUInt16BE(addresses.length, 6);
    header.writeUInt32BE(0, 8);
    const answers = addresses.map((address) => {
      const record = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, this.ttl, 0, address.length]);
      return Buffer.concat([record, address]);
    });
    return Buffer.concat([header, question, ...answers]);
  }
}

describe('host name', () => {
  let server: NameServer;
  let at: string;
  let clock: FakeClock;

  beforeEach(async () => {
    server = new NameServer();
    at = await server.open();
    clock = new FakeClock();
  });
  afterEach(() => server.close());

  const host = (name = 'orders.test'): HostName => new HostName(name, clock, 1000, [at]);
  const ask = (name: HostName): Promise<string | Failure> =>
    new Promise((resolve) => name.resolve(resolve));

  it('knows addresses and localhost without asking anybody', () => {
    expect(host('10.0.0.7').known()).to.equal('10.0.0.7');
    expect(host('fe80::1').known()).to.equal('fe80::1');
    expect(host('localhost').known()).to.equal('127.0.0.1');
    expect(server.queries).to.equal(0);
  });

  it('uses the addresses of a name in turn until their time is over', async () => {
    server.records.set(A, [Buffer.from([10, 0, 0, 1]), Buffer.from([10, 0, 0, 2])]);
    const name = host();
    expect(name.known()).to.equal(null);
    const first = await ask(name);
    const second = name.known();

    expect([first, second]).to.have.members(['10.0.0.1', '10.0.0.2']);
    clock.advance(4999);
    expect(name.known()).to.equal(first);
    clock.advance(1);
    expect(name.known()).to.equal(null);
    expect(server.queries).to.equal(1);
  });

  it('shares one query between callers that ask at the same time', async () => {
    server.records.set(A, [Buffer.from([10, 0, 0, 1])]);
    const name = host();
    const answers = await Promise.all([ask(name), ask(name), ask(name)]);

    expect(answers).to.deep.equal(['10.0.0.1', '10.0.0.1', '10.0.0.1']);
    expect(server.queries).to.equal(1);
  });

  it('takes IPv6 addresses when there is no other', async () => {
    server.records.set(AAAA, [Buffer.from('20010db8000000000000000000000001', 'hex')]);

    expect(await ask(host())).to.equal('2001:db8::1');
  });

  it('fails as dns_failure when the name does not exist', async () => {
    const result = await ask(host());

    expect(result).to.be.instanceOf(Failure);
    expect((result as Failure).code).to.equal('dns_failure');
    expect((result as Failure).evidence).to.deep.equal({ name: 'orders.test', errno: 'ENOTFOUND' });
  });

  it('goes on with the last addresses while the name server fails', async () => {
    server.records.set(A, [Buffer.from([10, 0, 0, 1])]);
    const name = host();
    await ask(name);
    server.records.clear();
    clock.advance(60_000);

    expect(await ask(name)).to.equal('10.0.0.1');
    expect(name.known()).to.equal('10.0.0.1');
  });
});
