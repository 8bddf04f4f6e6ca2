import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { freePorts } from '../../sidecar/up/ports.ts';
import { FakeConsul } from '../support/fake-consul.ts';

const MAIN = new URL('../../dist/sidecar/main.js', import.meta.url).pathname;

describe('a sidecar that cannot start', function () {
  this.timeout(15_000);
  let directory: string;
  let taken: Server;
  let port: number;
  let admin: number;
  let free: number;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'outrigger-test-'));
    [port, admin, free] = (await freePorts(3)) as [number, number, number];
    taken = createServer();
    await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve));
  });

  after(async () => {
    taken.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** Runs it until it ends by itself. */
  function run(...args: readonly string[]): { code: number | null; lines: string[]; all: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'run', ...args], {
      encoding: 'utf8',
      timeout: 8000,
      env: { PATH: process.env['PATH'] ?? '' },
    });
    const all = stdout + stderr;
    return { code: status, lines: all.split('\n').filter((line) => line !== ''), all };
  }

  async function runWith(config: Record<string, unknown> | string) {
    const file = join(directory, 'outrigger.yaml');
    await writeFile(file, typeof config === 'string' ? config : JSON.stringify(config));
    return run('-c', file);
  }

  const base = () => ({
    service: { name: 'orders', id: 'orders-1', address: '127.0.0.1' },
    consul: { enabled: false },
    accessLog: { filter: 'none' },
    trace: { exporter: 'none' },
    forwardProxy: { enabled: false },
    admin: { port: admin },
  });

  it('names the port that another process uses, in one line, and ends with 1', async () => {
    const { code, lines } = await runWith({
      ...base(),
      inbound: { host: '127.0.0.1', port, appPort: 1 },
    });

    expect(code).to.equal(1);
    expect(lines.filter((line) => line.includes('another process uses the port'))).to.have.length(
      1,
    );
    expect(lines.join()).to.contain(`inbound: cannot listen on 127.0.0.1:${port}`);
    expect(lines.join()).not.to.match(/\.ts:\d+|\.js:\d+/);
  });

  it('does so for the admin port, and registers nothing before', async () => {
    const consul = await FakeConsul.start();
    const file = join(directory, 'admin.json');
    const config = {
      ...base(),
      admin: { port },
      consul: { address: consul.address },
      inbound: { host: '127.0.0.1', port: free, appPort: 1 },
    };
    await writeFile(file, JSON.stringify(config));
    const { code, output } = await ends(['-c', file]);
    const asked = consul.requests.map(({ path }) => path);
    await consul.down();

    expect(code).to.equal(1);
    expect(output.split(`admin: cannot listen on 127.0.0.1:${port}`)).to.have.length(2);
    expect(asked.filter((path) => path.includes('/agent/service/'))).to.deep.equal([]);
  });

  it('tells every port at once', async () => {
    const { code, lines } = await runWith({
      ...base(),
      inbound: { host: '127.0.0.1', port, appPort: 1 },
      upstreams: [
        {
          service: 'stock',
          port: 1,
          host: '203.0.113.1',
          resolver: 'static',
          endpoints: ['127.0.0.1:1'],
        },
      ],
    });

    expect(code).to.equal(1);
    expect(lines.join('\n')).to.contain('another process uses the port');
    expect(lines.join('\n')).to.contain('this machine does not have the address');
  });

  it('names a certificate that it cannot read, in one line, and ends with 1', async () => {
    const { code, lines } = await runWith({
      ...base(),
      consul: { address: 'https://127.0.0.1:1', tls: { caFile: '/nowhere/ca.pem' } },
    });

    expect(code).to.equal(1);
    expect(lines.filter((line) => line.includes('/nowhere/ca.pem'))).to.have.length(1);
  });

  it('ends with 2 for a file that is not there, in one line', () => {
    const { code, lines } = run('-c', join(directory, 'missing.yaml'));

    expect(code).to.equal(2);
    expect(lines).to.have.length(1);
    expect(lines[0]).to.contain('missing.yaml');
  });

  it('ends with 2 for a file with mistakes, and names each', async () => {
    const { code, lines } = await runWith('service:\n  nam: x\ninbound:\n  port: 0\nservice2: 1\n');

    expect(code).to.equal(2);
    expect(lines.length).to.be.greaterThan(2);
    expect(lines.join('\n')).not.to.contain('    at ');
  });

  it('ends with 2 for files that are traps', async () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]'];
    for (let i = 1; i < 10; i++) {
      const [name, before] = [String.fromCharCode(97 + i), String.fromCharCode(96 + i)];
      bomb.push(`${name}: &${name} [${Array(9).fill(`*${before}`).join(',')}]`);
    }
    const traps = {
      truncated: '{"service": {"name": "orders"',
      aliases: bomb.join('\n'),
      duplicate: 'service: {name: a}\nservice: {name: b}\n',
      prototype: 'service: {name: a}\n__proto__: {polluted: 1}\n',
    };
    for (const [what, text] of Object.entries(traps)) {
      const { code, all } = await runWith(text);
      expect(code, `${what}: ${all}`).to.equal(2);
      expect(all, what).not.to.contain('    at ');
    }
  });
});

/** The same without holding our own loop, for peers that live in it. */
function ends(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [MAIN, 'run', ...args], {
      timeout: 8000,
      env: { PATH: process.env['PATH'] ?? '' },
    });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('close', (code) => resolve({ code, output }));
  });
}
