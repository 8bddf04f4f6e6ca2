import { constants, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';

/** A configuration is written by people; what is larger is something else. */
const MAX_BYTES = 1_048_576;

export type ReadFile =
  | { readonly ok: true; readonly text: string }
  /** `problem` follows the file's name: `expected …, got …`. */
  | { readonly ok: false; readonly problem: string };

/** Reads a regular file of at most 1 MiB of UTF-8. Never waits for a pipe or a device. */
export async function readConfigFile(path: string): Promise<ReadFile> {
  try {
    // Without O_NONBLOCK opening a pipe waits for its writer.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const kind = kindOf(await file.stat());
      if (kind !== null) return refuse(`expected a regular file, got ${kind}`);
      const buffer = Buffer.allocUnsafe(MAX_BYTES + 1);
      let length = 0;
      while (length < buffer.length) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      if (length > MAX_BYTES) return refuse(`expected at most ${MAX_BYTES} bytes, got more`);
      return decode(buffer.subarray(0, length));
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    return refuse(reasons[code] ?? `cannot be read (${code})`);
  }
}

/** Null for a regular file. */
function kindOf(stats: Stats): string | null {
  if (stats.isFile()) return null;
  if (stats.isDirectory()) return 'a folder';
  return stats.isFIFO() ? 'a pipe' : 'a device';
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'no permission to read it',
  ENOTDIR: 'no such file',
  ELOOP: 'its links lead in a circle',
};

function decode(bytes: Buffer): ReadFile {
  try {
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return refuse('expected UTF-8 text, got other bytes');
  }
}

function refuse(problem: string): ReadFile {
  return { ok: false, problem };
}
