import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Log } from '../telemetry/log.ts';
import type { EndpointSpec } from './resolver.ts';

/** What an earlier process believed last. */
export interface LastGoodState {
  readonly index: bigint;
  /** Milliseconds since the Unix epoch. */
  readonly savedAtMs: number;
  readonly endpoints: readonly EndpointSpec[];
}

/** 32 MiB hold about 80,000 endpoints; whatever is larger was not written by us. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;
const MAX_NAME_LENGTH = 200;

const endpointSchema = z.strictObject({
  id: z.string().min(1),
  address: z.string().min(1),
  port: z.int().min(1).max(65535),
  weight: z.number().min(0).max(65535),
  zone: z.string(),
  region: z.string(),
  health: z.enum(['passing', 'critical', 'maintenance']),
  tags: z.array(z.string()),
  meta: z.array(z.tuple([z.string(), z.string()])),
});

const fileSchema = z.strictObject({
  version: z.literal(1),
  service: z.string(),
  index: z.string().regex(/^\d{1,20}$/),
  savedAtMs: z.number().min(0),
  endpoints: z.array(endpointSchema),
});

/**
 * The last believed list of each service on disk, so that a process can start while the registry is
 * down. A file is replaced as a whole or not at all (temporary file, fsync, rename); one that does
 * not validate is ignored with a warning. No method throws: without a disk discovery still works.
 */
export class LastGood {
  readonly #directory: string;
  readonly #source: string;
  readonly #log: Log;
  #writes = 0;
  #writable = true;

  /** `source` keeps the files of different registries or datacentres apart. */
  constructor(directory: string, source: string, log: Log) {
    this.#directory = directory;
    this.#source = source;
    this.#log = log;
  }

  /** Null when there is none, or none that can be trusted. */
  async read(service: string): Promise<LastGoodState | null> {
    const path = this.#path(service);
    try {
      if ((await stat(path)).size > MAX_FILE_BYTES) throw new Error('the file is too large');
      const file = fileSchema.parse(JSON.parse(await readFile(path, 'utf8')));
      if (file.service !== service) throw new Error(`the file is about ${file.service}`);
      return {
        index: BigInt(file.index),
        savedAtMs: file.savedAtMs,
        endpoints: file.endpoints.map((endpoint) => ({
          ...endpoint,
          meta: new Map(endpoint.meta),
        })),
      };
    } catch (error) {
      if (isMissing(error)) return null;
      this.#log.warn({ service, path, err: error }, 'ignoring the saved endpoints of a service');
      return null;
    }
  }

  async write(service: string, state: LastGoodState): Promise<void> {
    const path = this.#path(service);
    const temporary = `${path}.${process.pid}.${this.#writes++}.tmp`;
    const text = JSON.stringify({
      version: 1,
      service,
      index: String(state.index),
      savedAtMs: state.savedAtMs,
      endpoints: state.endpoints.map((endpoint) => ({ ...endpoint, meta: [...endpoint.meta] })),
    });
    try {
      await mkdir(this.#directory, { recursive: true });
      const file = await open(temporary, 'w', 0o600);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
      this.#writable = true;
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      if (this.#writable)
        this.#log.warn({ path, err: error }, 'cannot save endpoints for a restart');
      this.#writable = false;
    }
  }

  #path(service: string): string {
    const name = encodeURIComponent(`${this.#source}/${service}`);
    const short =
      name.length <= MAX_NAME_LENGTH ? name : createHash('sha256').update(name).digest('hex');
    return join(this.#directory, `${short}.json`);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
