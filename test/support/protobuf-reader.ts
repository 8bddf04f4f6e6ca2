/** One field of a protobuf message: its number and its raw value by wire type. */
export interface ProtobufField {
  readonly number: number;
  /** Varints. */
  readonly varint: bigint;
  /** Length-delimited and fixed fields. */
  readonly bytes: Buffer;
}

/** Reads the fields of one message in wire order; throws on anything that is not protobuf. */
export function* readFields(message: Buffer): Iterable<ProtobufField> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined || shift > 63n) throw new Error('protobuf: bad varint');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => {
    if (at + length > message.length) throw new Error('protobuf: message cut short');
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const tag = Number(varint());
    const number = tag >> 3;
    const type = tag & 7;
    if (type === 0) yield { number, varint: varint(), bytes: Buffer.alloc(0) };
    else if (type === 1) yield { number, varint: 0n, bytes: take(8) };
    else if (type === 2) yield { number, varint: 0n, bytes: take(Number(varint())) };
    else if (type === 5) yield { number, varint: 0n, bytes: take(4) };
    else throw new Error(`protobuf: wire type ${type}`);
  }
}
