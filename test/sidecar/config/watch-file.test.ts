import { mkdir, rename, symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { FileWatch } from '../../../sidecar/config/watch-file.ts';
import { systemClock } from '../../../telemetry/system-clock.ts';
import { Folder } from './folder.ts';

describe('file watch', () => {
  let folder: Folder;
  let watch: FileWatch | null = null;
  let changes = 0;
  beforeEach(async () => {
    folder = await Folder.create();
    changes = 0;
  });
  afterEach(async () => {
    watch?.close();
    await folder.remove();
  });

  async function follow(path: string): Promise<void> {
    watch = new FileWatch(path, systemClock, () => {
      changes++;
    });
    await watch.start();
  }

  async function changed(times: number): Promise<void> {
    for (let left = 400; left > 0 && changes < times; left--) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(changes).to.equal(times);
  }

  it('sees a file that is written in place', async () => {
    await follow(await folder.write('c.yaml', 'one'));

    await folder.write('c.yaml', 'longer than one');

    await changed(1);
  });

  it('sees one change when the file is replaced by a rename, again and again', async () => {
    const path = await folder.write('c.yaml', 'one');
    await follow(path);

    for (const text of ['two', 'three']) {
      const before = changes;
      await rename(await folder.write('c.yaml.tmp', text), path);
      await changed(before + 1);
    }
  });

  it('sees a swap of the link that Kubernetes mounts behind', async () => {
    for (const version of ['v1', 'v2']) {
      await mkdir(join(folder.path, version));
      await folder.write(`${version}/c.yaml`, version);
    }
    await symlink('v1', join(folder.path, '..data'));
    await symlink('..data/c.yaml', join(folder.path, 'c.yaml'));
    await follow(join(folder.path, 'c.yaml'));

    await symlink('v2', join(folder.path, '..data_tmp'));
    await rename(join(folder.path, '..data_tmp'), join(folder.path, '..data'));

    await changed(1);
  });

  it('says nothing about other files, nor about a file that goes away for a moment', async () => {
    const path = await folder.write('c.yaml', 'one');
    await follow(path);

    await folder.write('other.yaml', 'x');
    await unlink(path);
    await folder.write('c.yaml', 'two');

    await changed(1);
  });
});
