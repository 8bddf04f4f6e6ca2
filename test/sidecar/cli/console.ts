import { AdminServer } from '../../../sidecar/admin/server.ts';
import type { Console } from '../../../sidecar/cli/console.ts';
import type { Log } from '../../../telemetry/log.ts';
import type { FakeSource } from '../admin/source.ts';

/** A console that keeps what was written, one entry per line. */
export class FakeConsole implements Console {
  readonly written: string[] = [];
  readonly errors: string[] = [];
  readonly table: boolean;
  readonly color = false;

  constructor(table: boolean) {
    this.table = table;
  }

  out(text: string): void {
    this.written.push(text);
  }

  err(text: string): void {
    this.errors.push(text);
  }

  /** What was written, each line read as JSON. */
  get json(): unknown[] {
    return this.written.map((line) => JSON.parse(line) as unknown);
  }
}

/** Runs `use` against the admin API of a sidecar that is a fake. */
export async function withAdmin(
  source: FakeSource,
  use: (admin: string) => Promise<void>,
): Promise<void> {
  const note = () => undefined;
  const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log };
  const server = new AdminServer(source, { host: '127.0.0.1', port: 0 }, log);
  const { port } = await server.start();
  try {
    await use(`http://127.0.0.1:${port}`);
  } finally {
    await server.close();
  }
}
