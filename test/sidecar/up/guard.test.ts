import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { guard } from '../../../sidecar/up/guard.ts';

describe('guard of the local mesh', () => {
  let directory: string;
  let child: ChildProcess;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'outrigger-guard-'));
    await writeFile(join(directory, 'edge.json'), '{}');
    child = spawn('sleep', ['60'], { stdio: 'ignore' });
  });

  afterEach(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await rm(directory, { recursive: true, force: true });
  });

  it('kills what is left and removes the directory when its input ends', async () => {
    const input = new PassThrough();
    const exit = once(child, 'exit');
    input.end(`+${child.pid}\n`);

    await guard(directory, input);

    expect((await exit)[1]).to.equal('SIGKILL');
    expect(existsSync(directory)).to.equal(false);
  });

  it('touches nothing once it was told that all is done', async () => {
    const input = new PassThrough();
    input.end(`+${child.pid}\ndone\n`);

    await guard(directory, input);

    expect(child.signalCode).to.equal(null);
    expect(existsSync(directory)).to.equal(true);
  });

  it('spares a process that has ended before', async () => {
    const input = new PassThrough();
    input.write(`+${child.pid}`);
    input.end(`\n-${child.pid}\n`);

    await guard(directory, input);

    expect(child.signalCode).to.equal(null);
    expect(existsSync(directory)).to.equal(false);
  });
});
