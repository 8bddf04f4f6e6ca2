import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../sidecar/up/ports.ts';
import { until } from './until.ts';

const MAIN = new URL('../../dist/sidecar/main.js', import.meta.url).pathname;

/** A sidecar as users run it: the compiled program, a configuration file, a process of its own. */
export class SidecarProcess {
  readonly adminPort: number;
  readonly file: string;
  readonly #directory: string;
  readonly #environment: Record<string, string>;
  readonly #command: readonly string[];
  readonly #openFiles: number | null;
  #child: ChildProcess | null = null;
  #output = '';
  #exit: Promise<number> = Promise.resolve(0);

  private constructor(
    adminPort: number,
    directory: string,
    environment: Record<string, string>,
    command: readonly string[],
    openFiles: number | null,
  ) {
    this.adminPort = adminPort;
    this.#directory = directory;
    this.file = join(directory, 'outrigger.json');
    this.#environment = environment;
    this.#command = command;
    this.#openFiles = openFiles;
  }

  /** Writes the configuration, on a free admin port, and starts; resolves when `/readyz` says so. */
  static async start(
    config: Readonly<Record<string, unknown>>,
    options: {
      environment?: Record<string, string>;
      ready?: boolean;
      /** Run inside the sidecar, as `run -- command` does. */
      command?: readonly string[];
      /** Descriptors it may have open; default: as this process. */
      openFiles?: number;
    } = {},
  ): Promise<SidecarProcess> {
    const [adminPort] = (await freePorts(1)) as [number];
    const directory = await mkdtemp(join(tmpdir(), 'outrigger-test-'));
    const { environment = {}, command = [], openFiles = null } = options;
    const sidecar = new SidecarProcess(adminPort, directory, environment, command, openFiles);
    await sidecar.configure(config);
    sidecar.spawn();
    if (options.ready !== false) await sidecar.ready();
    return sidecar;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Everything it wrote to standard output and error. */
  get output(): string {
    return this.#output;
  }

  /** Lets what it writes pile up from now on, or closes the pipe under it. */
  stopReading(how: 'pause' | 'close'): void {
    for (const stream of [this.#child?.stdout, this.#child?.stderr]) {
      if (how === 'pause') stream?.pause();
      else stream?.destroy();
    }
  }

  /** Exit code of the present process, once it has ended. */
  get exited(): Promise<number> {
    return this.#exit;
  }

  async configure(config: Readonly<Record<string, unknown>>): Promise<void> {
    const whole = {
      log: { level: 'info' },
      accessLog: { filter: 'none' },
      trace: { exporter: 'none' },
      forwardProxy: { enabled: false },
      ...config,
      admin: { port: this.adminPort },
    };
    await writeFile(this.file, JSON.stringify(whole, null, 2));
  }

  spawn(): void {
    const wrapped = this.#command.length === 0 ? [] : ['--', ...this.#command];
    const words = [process.execPath, MAIN, 'run', '-c', this.file, ...wrapped];
    // The shell lowers its own limit and becomes the sidecar.
    if (this.#openFiles !== null)
      words.unshift('sh', '-c', `ulimit -n ${this.#openFiles}; exec "$@"`, 'sh');
    const [program, ...args] = words as [string, ...string[]];
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] ?? '', ...this.#environment },
    });
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString('utf8')).slice(-200_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    this.#child = child;
    this.#exit = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve(code ?? (signal === null ? -1 : -2)));
    });
  }

  async ready(): Promise<void> {
    await until(
      async () => (await this.get('/readyz').catch(() => null))?.status === 200,
      15_000,
      () => `the sidecar did not become ready:\n${this.#output}`,
    );
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** SIGTERM, and the exit code. */
  async terminate(): Promise<number> {
    this.signal('SIGTERM');
    return await this.#exit;
  }

  /** Ends it for good and removes its files. */
  async dispose(): Promise<void> {
    this.signal('SIGKILL');
    await this.#exit;
    await rm(this.#directory, { recursive: true, force: true });
  }

  async json<T>(path: string): Promise<T> {
    return JSON.parse((await this.get(path)).body) as T;
  }

  get(path: string, method = 'GET'): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const call = request(
        { host: '127.0.0.1', port: this.adminPort, path, method, agent: false, timeout: 5000 },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('end', () => {
            resolve({
              status: response.statusCode ?? 0,
              body: Buffer.concat(parts).toString('utf8'),
            });
          });
          response.on('error', reject);
        },
      );
      call.on('timeout', () => call.destroy(new Error('the admin API did not answer')));
      call.on('error', reject);
      call.end();
    });
  }
}
