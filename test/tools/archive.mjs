import { createHash } from 'node:crypto';
import { createWriteStream, readFileSync } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { inflateRawSync } from 'node:zlib';
import { say } from './command.mjs';

const oneMiB = 1024 * 1024;

/**
 * Fetches a file over TLS, telling how far it is, and answers its SHA-256 in hex. Throws when the server does not give it.
 * @param {string} url
 * @param {string} file
 * @returns {Promise<string>}
 */
export async function download(url, file) {
  const response = await fetch(url, { signal: AbortSignal.timeout(300_000) });
  if (!response.ok || response.body === null) throw new Error(`${url} answers ${response.status}`);
  const length = Number(response.headers.get('content-length'));
  const total = length > 0 ? ` of ${Math.ceil(length / oneMiB)}` : '';
  const hash = createHash('sha256');
  let received = 0;
  let told = 0;
  const counted = new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      received += chunk.length;
      if (received - told >= 10 * oneMiB) {
        told = received;
        say(`${Math.floor(received / oneMiB)}${total} MiB`);
      }
      done(null, chunk);
    },
  });
  await pipeline(Readable.fromWeb(response.body), counted, createWriteStream(file));
  return hash.digest('hex');
}

/**
 * A small text file, fetched over TLS. Throws when the server does not give it.
 * @param {string} url
 * @returns {Promise<string>}
 */
export async function fetchText(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  return response.text();
}

/**
 * SHA-256 of a file, in hex.
 * @param {string} file
 */
export function sha256(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/**
 * Takes one file out of a zip archive in memory (PKWARE APPNOTE 4.3: end record, central directory, local header), so
 * that no unzip program is needed. Null when the archive does not hold that name or is not a plain zip.
 * @param {import('node:buffer').Buffer} archive
 * @param {string} name
 * @returns {Uint8Array | null}
 */
export function unzip(archive, name) {
  const end = archive.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0) return null;
  let entry = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    if (archive.readUInt32LE(entry) !== 0x02014b50) return null;
    const nameLength = archive.readUInt16LE(entry + 28);
    if (archive.toString('utf8', entry + 46, entry + 46 + nameLength) === name) {
      const packed = archive.readUInt32LE(entry + 20);
      const local = archive.readUInt32LE(entry + 42);
      const start =
        local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
      const bytes = archive.subarray(start, start + packed);
      return archive.readUInt16LE(entry + 10) === 0 ? bytes : inflateRawSync(bytes);
    }
    entry += 46 + nameLength + archive.readUInt16LE(entry + 30) + archive.readUInt16LE(entry + 32);
  }
  return null;
}
