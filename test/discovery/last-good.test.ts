import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LastGood, type LastGoodState } from '../../discovery/last-good.ts';
import { endpointSpec } from '../support/endpoint-spec.ts';
import { RecordingLog } from '../support/recording-log.ts';

const STATE: LastGoodState = {
  index: 18446744073709551615n,
  savedAtMs: 1_700_000_000_000,
  endpoints: [
    endpointSpec('n1/web-1', {
      zone: 'a',
      health: 'critical',
      tags: ['v1'],
      meta: new Map([['__proto__', 'x']]),
    }),
  ],
};

describe('last good endpoints on disk', () => {
  let directory: string;
  let log: RecordingLog;
  let lastGood: LastGood;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'outrigger-last-good-'));
    log = new RecordingLog();
    lastGood = new LastGood(directory, 'consul', log);
  });

  afterEach(() => rm(directory, { recursive: true, force: true }));

  async function file(): Promise<string> {
    const [name = ''] = await readdir(directory);
    return join(directory, name);
  }

  it('reads back what was written, in another process as well', async () => {
    await lastGood.write('web', STATE);

    const later = new LastGood(directory, 'consul', log);
    expect(await later.read('web')).to.deep.equal(STATE);
    expect(log.lines).to.deep.equal([]);
  });

  it('has nothing, without a word, for a service never written', async () => {
    expect(await lastGood.read('web')).to.equal(null);
    expect(log.lines).to.deep.equal([]);
  });

  it('leaves one file per service and no temporary one', async () => {
    await lastGood.write('web', STATE);
    await lastGood.write('web', { ...STATE, endpoints: [] });
    await lastGood.write('../../api', STATE);

    expect(await readdir(directory)).to.have.length(2);
    expect(await lastGood.read('../../api')).to.deep.equal(STATE);
  });

  it('keeps registries apart', async () => {
    await lastGood.write('web', STATE);

    expect(await new LastGood(directory, 'consul/dc2', log).read('web')).to.equal(null);
  });

  it('takes a name longer than a file name may be', async () => {
    const service = 'x'.repeat(5_000);
    await lastGood.write(service, STATE);

    expect(await lastGood.read(service)).to.deep.equal(STATE);
  });

  const damages: readonly [string, (path: string, text: string) => Promise<void>][] = [
    ['is cut short', (path, text) => truncate(path, text.length - 5)],
    ['is empty', (path) => truncate(path, 0)],
    [
      'is of another version',
      (path, text) => writeFile(path, text.replace('"version":1', '"version":2')),
    ],
    ['is about another service', (path, text) => writeFile(path, text.replace('"web"', '"api"'))],
    ['has a port that cannot be', (path, text) => writeFile(path, text.replace('9000', '0'))],
    [
      'has a health that cannot be',
      (path, text) => writeFile(path, text.replace('critical', 'fine')),
    ],
    [
      'has an index that is no number',
      (path, text) => writeFile(path, text.replace('"1844', '"x')),
    ],
  ];
  for (const [name, damage] of damages) {
    it(`ignores a file that ${name}, with a warning`, async () => {
      await lastGood.write('web', STATE);
      const path = await file();
      await damage(path, await readFile(path, 'utf8'));

      expect(await lastGood.read('web')).to.equal(null);
      expect(log.lines).to.deep.equal(['warn: ignoring the saved endpoints of a service']);
    });
  }

  it('says once that it cannot write, and throws nothing', async () => {
    await writeFile(join(directory, 'file'), '');
    const blocked = new LastGood(join(directory, 'file'), 'consul', log);

    await blocked.write('web', STATE);
    await blocked.write('web', STATE);

    expect(log.lines).to.deep.equal(['warn: cannot save endpoints for a restart']);
  });
});
