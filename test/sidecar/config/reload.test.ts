import { expect } from 'chai';
import type { Reloaded } from '../../../sidecar/config/reload.ts';
import { Reloader } from '../../../sidecar/config/reload.ts';
import type { Log } from '../../../telemetry/log.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { Folder, loadedOf, loadText } from './folder.ts';

interface Setup {
  readonly reloader: Reloader;
  readonly applied: Reloaded[];
  readonly logged: string[];
  readonly rejections: () => number;
}

describe('reload', () => {
  let folder: Folder;
  beforeEach(async () => {
    folder = await Folder.create();
  });
  afterEach(() => folder.remove());

  const write = (text: string) => folder.write('outrigger.yaml', `service: { name: a }\n${text}`);

  async function setup(problems: readonly string[] = []): Promise<Setup> {
    const loaded = loadedOf(await loadText(folder, 'service: { name: a }\n'));
    const applied: Reloaded[] = [];
    const logged: string[] = [];
    let rejections = 0;
    const note = (_fields: object, message: string) => void logged.push(message);
    const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log };
    const reloader = new Reloader({
      loaded,
      environment: {},
      clock: new FakeClock(),
      log,
      apply: (next) => {
        if (problems.length === 0) applied.push(next);
        return Promise.resolve(problems);
      },
      onRejected: () => {
        rejections++;
      },
    });
    return { reloader, applied, logged, rejections: () => rejections };
  }

  it('puts a good file in force', async () => {
    const { reloader, applied, logged } = await setup();
    await write('limits: { maxRequests: 7 }');

    expect(await reloader.reload()).to.equal(true);

    expect(applied).to.have.length(1);
    expect(applied[0]?.plan.changed).to.deep.equal([
      'inbound.limits.maxRequests',
      'limits.maxRequests',
    ]);
    expect(reloader.current.config.limits.maxRequests).to.equal(7);
    expect(logged).to.deep.equal(['configuration reloaded']);
  });

  it('applies nothing when nothing changed', async () => {
    const { reloader, applied, logged } = await setup();
    await write('# a remark');

    expect(await reloader.reload()).to.equal(true);

    expect(applied).to.deep.equal([]);
    expect(logged).to.deep.equal([]);
  });

  it('keeps the running configuration when the file has mistakes, in one log line', async () => {
    const { reloader, applied, logged, rejections } = await setup();
    const before = reloader.current;
    await write('limits: { maxRequests: 0 }\nretires: {}\n');

    expect(await reloader.reload()).to.equal(false);

    expect(applied).to.deep.equal([]);
    expect(reloader.current).to.equal(before);
    expect(reloader.rejected).to.have.length(2);
    expect(reloader.rejected[1]).to.match(
      /outrigger\.yaml:3: retires: unknown key \(did you mean `retries`\?\)$/,
    );
    expect(rejections()).to.equal(1);
    expect(logged).to.deep.equal(['configuration rejected, the running one stays in force']);
  });

  it('forgets the mistakes once a good file came', async () => {
    const { reloader } = await setup();
    await write('limits: 5');
    await reloader.reload();
    await write('limits: { maxRequests: 5 }');

    await reloader.reload();

    expect(reloader.rejected).to.deep.equal([]);
    expect(reloader.current.config.limits.maxRequests).to.equal(5);
  });

  it('rejects what cannot be put in force, as a port that is taken', async () => {
    const { reloader, rejections } = await setup(['port 9101 is in use']);
    const before = reloader.current;
    await write('upstreams: [{ service: b, port: 9101 }]');

    expect(await reloader.reload()).to.equal(false);

    expect(reloader.rejected).to.deep.equal(['port 9101 is in use']);
    expect(reloader.current).to.equal(before);
    expect(rejections()).to.equal(1);
  });

  it('survives a file that is gone', async () => {
    const { reloader } = await setup();
    await folder.remove();

    expect(await reloader.reload()).to.equal(false);

    expect(reloader.rejected[0]).to.match(/no such file$/);
  });

  it('says what needs a restart and keeps it as it runs', async () => {
    const { reloader, applied, logged } = await setup();
    await write('admin: { port: 15001 }\nholdStartMs: 1\n');

    await reloader.reload();

    expect(applied[0]?.plan.restart).to.deep.equal(['admin.port']);
    expect(reloader.current.config).to.deep.include({ holdStartMs: 1 });
    expect(reloader.current.config.admin.port).to.equal(15_000);
    expect(logged).to.deep.equal(['configuration reloaded; some keys need a restart']);
  });

  it('reads once more when it is asked again while reading', async () => {
    const { reloader } = await setup();
    await write('holdStartMs: 1');
    const first = reloader.reload();
    await write('holdStartMs: 2');

    await Promise.all([first, reloader.reload()]);

    expect(reloader.current.config.holdStartMs).to.equal(2);
  });
});
