import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** One record as the server answers it. */
export type FakeRecord =
  | { readonly type: 'A'; readonly address: string; readonly ttl: number }
  | {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
      readonly ttl: number;
    };

const A = 1;
const SRV = 33;
const SERVFAIL = 2;
const NXDOMAIN = 3;

/** A name server on UDP with a table of names; everything else does not exist (RFC 1035 §4). */
export class FakeDns {
  readonly records = new Map<string, readonly FakeRecord[]>();
  /** `fail` answers SERVFAIL, `silent` nothing at all. */
  mood: 'well' | 'fail' | 'silent' = 'well';
  /** Names answered with SERVFAIL. */
  readonly failing = new Set<string>();
  /** Names asked for, with the number of their type. */
  readonly asked: string[] = [];
  readonly #socket: Socket = createSocket('udp4');

  static async start(): Promise<FakeDns> {
    const fake = new FakeDns();
    fake.#socket.on('message', (query, from) => {
      const answer = fake.#answer(query);
      if (answer !== null) fake.#socket.send(answer, from.port, from.address);
    });
    fake.#socket.bind(0, '127.0.0.1');
    await once(fake.#socket, 'listening');
    return fake;
  }

  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  async stop(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #answer(query: Buffer): Buffer | null {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const type = query.readUInt16BE(at + 1);
    const question = query.subarray(12, at + 5);
    const name = labels.join('.').toLowerCase();
    this.asked.push(`${name} ${type}`);
    if (this.mood === 'silent') return null;
    const known = this.records.get(name);
    const records = (known ?? []).filter((record) => typeOf(record) === type);
    const fails = this.mood === 'fail' || this.failing.has(name);
    const code = fails ? SERVFAIL : known === undefined ? NXDOMAIN : 0;
    const answers = code === 0 ? records.map(encodeRecord) : [];
    const head = Buffer.alloc(12);
    head.writeUInt16BE(query.readUInt16BE(0), 0);
    head.writeUInt16BE(0x8180 | code, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(answers.length, 6);
    return Buffer.concat([head, question, ...answers]);
  }
}

function typeOf(record: FakeRecord): number {
  return record.type === 'A' ? A : SRV;
}

function encodeRecord(record: FakeRecord): Buffer {
  const data =
    record.type === 'A'
      ? Buffer.from(record.address.split('.').map(Number))
      : Buffer.concat([
          uint16(record.priority),
          uint16(record.weight),
          uint16(record.port),
          encodeName(record.target),
        ]);
  const ttl = Buffer.alloc(4);
  ttl.writeUInt32BE(record.ttl);
  // A pointer to the name in the question, class IN.
  return Buffer.concat([
    uint16(0xc00c),
    uint16(typeOf(record)),
    uint16(1),
    ttl,
    uint16(data.length),
    data,
  ]);
}

function encodeName(name: string): Buffer {
  const parts = name
    .split('.')
    .map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`));
  return Buffer.concat([...parts, Buffer.from([0])]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
