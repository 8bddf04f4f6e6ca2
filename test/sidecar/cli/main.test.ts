import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { FAULT_FORMS } from '../../../sidecar/up/faults.ts';
import { Folder } from '../config/folder.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function outrigger(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const command = ['--import', 'tsx', 'sidecar/main.ts', ...args];
    const env = { PATH: process.env['PATH'] ?? '' };
    const child = execFile(process.execPath, command, { cwd: root, env }, (_error, out, err) => {
      resolve({ code: child.exitCode ?? -1, out, err });
    });
  });
}

describe('the command line', function () {
  // Each case is a process of its own that compiles the sources first.
  this.timeout(20_000);

  it('tells its commands and exit codes', async () => {
    const { code, out } = await outrigger('--help');

    expect(code).to.equal(0);
    for (const word of ['run', 'up', 'check', 'endpoints', 'traces', '3 sidecar not reachable']) {
      expect(out).to.contain(word);
    }
  });

  it('names the faults of the local mesh as its message about a mistake does', async () => {
    const { out } = await outrigger('up', '--help');

    expect(out.replace(/\s+/g, ' ')).to.contain(`${FAULT_FORMS}; repeatable`);
  });

  it('ends with 2 for what it does not know', async () => {
    const { code, err } = await outrigger('endpionts');

    expect(code).to.equal(2);
    expect(err).to.contain('Did you mean endpoints?');
  });

  it('runs nothing with a bad file: mistakes, exit code 2, no stack', async () => {
    const folder = await Folder.create();
    const file = await folder.write('bad.yaml', 'service: { name: a }\ninbound: { prot: 1 }\n');

    const { code, out, err } = await outrigger('run', '-c', file);
    await folder.remove();

    expect(code).to.equal(2);
    expect(out).to.equal('');
    expect(err).to.equal(`${file}:2: inbound.prot: unknown key (did you mean \`port\`?)\n`);
  });

  it('prints a JSON Schema that editors understand', async () => {
    const { code, out } = await outrigger('schema');

    expect(code).to.equal(0);
    const schema = JSON.parse(out) as Record<string, unknown>;
    expect(schema['$schema']).to.equal('https://json-schema.org/draft/2020-12/schema');
    expect(schema['additionalProperties']).to.equal(false);
  });
});
