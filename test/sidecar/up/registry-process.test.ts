import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import { cleanEnvironment } from '../../../sidecar/up/launch.ts';
import { DevelopmentRegistry } from '../../../sidecar/up/registry.ts';
import {
  findConsul,
  registryCommand,
  registryReady,
} from '../../../sidecar/up/registry-process.ts';

describe('choice of the registry', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'outrigger-path-'));
  });

  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('finds the first consul of the path that can be run', async () => {
    await mkdir(join(directory, 'folder', 'consul'), { recursive: true });
    await mkdir(join(directory, 'good'));
    await writeFile(join(directory, 'consul'), 'not executable');
    await writeFile(join(directory, 'good', 'consul'), '#!/bin/sh\n');
    await chmod(join(directory, 'good', 'consul'), 0o755);
    const path = [directory, '', join(directory, 'folder'), join(directory, 'good')];

    expect(findConsul(path.join(delimiter))).to.equal(join(directory, 'good', 'consul'));
    expect(findConsul(directory)).to.equal(null);
    expect(findConsul('')).to.equal(null);
  });

  it('gives consul every port it would otherwise take from somebody', () => {
    const { file, args } = registryCommand('/usr/bin/consul', [1, 2, 3, 4]);

    expect(file).to.equal('/usr/bin/consul');
    expect(args).to.include.members([
      '-http-port=1',
      '-server-port=2',
      '-serf-lan-port=3',
      '-serf-wan-port=4',
      '-dns-port=-1',
      '-grpc-port=-1',
      '-client=127.0.0.1',
    ]);
  });

  it('is ready when it has a leader and lists its node', async () => {
    const registry = new DevelopmentRegistry();
    const port = await registry.listen(0);
    const during = await registryReady(port);
    await registry.close();

    expect(during).to.equal(true);
    expect(await registryReady(port)).to.equal(false);
  });
});

describe('environment of the local mesh', () => {
  it('leaves out what would configure sidecars behind the back of their files', () => {
    const kept = cleanEnvironment({
      PATH: '/bin',
      CONSUL_HTTP_ADDR: 'x',
      OUTRIGGER_ADMIN: 'x',
      OTEL_TRACES_SAMPLER: 'x',
    });

    expect(kept).to.deep.equal({ PATH: '/bin' });
  });
});
