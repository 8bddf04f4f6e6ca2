import { expect } from 'chai';
import { MeshProcess } from '../../../sidecar/up/mesh-process.ts';
import { until } from '../../support/until.ts';

class Ledger {
  readonly alive = new Set<number>();

  started(pid: number) {
    this.alive.add(pid);
  }

  ended(pid: number) {
    this.alive.delete(pid);
  }
}

describe('process of the local mesh', () => {
  const ledger = new Ledger();
  const started: MeshProcess[] = [];

  afterEach(async () => {
    for (const process of started.splice(0)) {
      process.kill();
      await process.exited;
    }
  });

  function shell(script: string): MeshProcess {
    const command = { file: '/bin/sh', args: ['-c', script], env: {} };
    const child = new MeshProcess('test', command, ledger);
    started.push(child);
    return child;
  }

  it('keeps what was written and how it ended', async () => {
    const child = shell('echo out; echo err >&2; exit 3');

    await child.exited;

    expect(child.output.lines()).to.have.members(['out', 'err']);
    expect(child).to.include({ running: false, outcome: 'exit code 3', ending: false });
  });

  it('tells the ledger of its start and its end', async () => {
    const child = shell('read line');
    const during = ledger.alive.size;
    child.kill();
    await child.exited;

    expect(during).to.equal(1);
    expect(ledger.alive.size).to.equal(0);
  });

  it('ends with SIGTERM when it obeys', async () => {
    const child = shell('exec sleep 60');

    await child.stop(10_000);

    expect(child).to.include({ outcome: 'SIGTERM', ending: true });
  });

  it('ends with SIGKILL when it does not', async () => {
    const child = shell("trap '' TERM; echo ready; while :; do sleep 0.05; done");
    const ready = () => child.output.lines().includes('ready');
    await until(ready, 4000, () => 'the shell did not start');

    await child.stop(50);

    expect(child.outcome).to.equal('SIGKILL');
  });

  it('says why it could not be started', async () => {
    const child = new MeshProcess('test', { file: '/nowhere', args: [], env: {} }, ledger);

    await child.exited;

    expect(child.outcome).to.include('ENOENT');
  });
});
