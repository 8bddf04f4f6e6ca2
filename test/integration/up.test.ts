import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { OnceReport } from '../../sidecar/up/once.ts';
import { until } from '../support/until.ts';
import { findConsul } from '../tools/consul.mjs';

const MAIN = new URL('../../dist/sidecar/main.js', import.meta.url).pathname;
/** Nine applications, ten sidecars and a registry on a machine that may be busy with other tests. */
const LIMIT_MS = 120_000;

describe('local mesh', function () {
  this.timeout(LIMIT_MS);
  let temporary: string;
  let child: ChildProcess;
  let stdout = '';
  let stderr = '';

  before(function () {
    if (existsSync('/proc/self/environ')) return;
    console.log(
      '      skipped: what is left behind is looked for in /proc, which this system has not',
    );
    this.skip();
  });

  beforeEach(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'outrigger-up-test-'));
    stdout = '';
    stderr = '';
  });

  afterEach(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'close');
    }
    await rm(temporary, { recursive: true, force: true });
  });

  /** Every process of the mesh inherits the folder for temporary files, which is ours alone. */
  function up(args: readonly string[], path = ''): void {
    child = spawn(process.execPath, [MAIN, 'up', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { TMPDIR: temporary, PATH: path },
    });
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
  }

  async function exitCode(): Promise<number | null> {
    if (child.exitCode === null) await once(child, 'close');
    return child.exitCode;
  }

  async function traffic(): Promise<void> {
    const flowing = () => /[1-9][0-9]* calls, 0 failed/.test(stdout);
    await until(flowing, LIMIT_MS, () => `no traffic was reported:\n${stdout}\n${stderr}`);
  }

  function leftProcesses(): string[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`TMPDIR=${temporary}\0`);
        } catch {
          return false; // ended, or not ours to read
        }
      });
  }

  it('brings everything up, sees every call succeed and every trace join, and leaves nothing', async () => {
    up(['--once', '--json', '--registry', 'embedded', '--seconds', '6']);

    const code = await exitCode();

    expect(code, stdout + stderr).to.equal(0);
    const report = JSON.parse(stdout) as OnceReport;
    expect(report.ok).to.equal(true);
    expect(report.checks.map((it) => it.name)).to.deep.equal([
      'calls',
      'traces',
      'instances',
      'sidecars',
    ]);
    expect(report.measured.calls).to.be.greaterThan(200);
    expect(report.measured.registry).to.equal('embedded');
    expect(leftProcesses()).to.deep.equal([]);
    expect(readdirSync(temporary)).to.deep.equal([]);
  });

  it('fails no call while an instance is killed and a real consul is restarted empty', async function () {
    const consul = findConsul();
    if (consul === null) {
      if (process.env['CI'] === 'true') throw new Error('no consul on PATH or in .tools/');
      console.log('      skipped: no consul on PATH or in .tools/');
      this.skip();
    }
    const faults = ['--fault', 'kill:cart', '--fault', 'registry'];
    up(['--once', '--json', '--registry', 'consul', '--seconds', '10', ...faults], dirname(consul));

    const code = await exitCode();

    expect(code, stdout + stderr).to.equal(0);
    const report = JSON.parse(stdout) as OnceReport;
    expect(report.measured).to.include({ registry: 'consul', failed: 0 });
    expect(report.measured.retries).to.be.greaterThan(0);
    expect(report.events.join('\n'))
      .to.include('cart-1 killed')
      .and.include('registry started again');
    expect(leftProcesses()).to.deep.equal([]);
    expect(readdirSync(temporary)).to.deep.equal([]);
  });

  it('ends in order at SIGINT, and leaves nothing', async () => {
    up(['--registry', 'embedded']);
    await traffic();

    child.kill('SIGINT');

    expect(await exitCode(), stdout + stderr).to.equal(0);
    expect(leftProcesses()).to.deep.equal([]);
    expect(readdirSync(temporary)).to.deep.equal([]);
  });

  it('leaves nothing when it is killed itself', async () => {
    up(['--registry', 'embedded']);
    await traffic();
    const during = leftProcesses().length;

    child.kill('SIGKILL');
    await once(child, 'close');

    expect(during).to.be.greaterThan(20);
    const clean = () => leftProcesses().length === 0 && readdirSync(temporary).length === 0;
    await until(
      clean,
      20_000,
      () => `left: ${leftProcesses().join(' ')} ${readdirSync(temporary).join(' ')}`,
    );
  });

  it('refuses a fault it does not know before anything starts', async () => {
    up(['--once', '--fault', 'kill:bank']);

    expect(await exitCode()).to.equal(2);
    expect(stderr).to.include('no service or instance bank');
    expect(readdirSync(temporary)).to.deep.equal([]);
  });
});
