import { expect } from 'chai';
import { check } from '../../../sidecar/cli/check.ts';
import { Folder } from '../config/folder.ts';
import { FakeConsole } from './console.ts';

describe('outrigger check', () => {
  let folder: Folder;
  beforeEach(async () => {
    folder = await Folder.create();
  });
  afterEach(() => folder.remove());

  it('says in one line that a file is fine', async () => {
    const file = await folder.write('o.yaml', 'service: { name: a }\nupstreams: [{ service: b }]');
    const console = new FakeConsole(true);

    expect(await check(file, {}, { OUTRIGGER_TYPO: '1' }, console)).to.equal(0);

    expect(console.written).to.deep.equal([`${file}: fine (service a, 1 upstreams, 0 routes)`]);
    expect(console.errors[0]).to.match(/^warning: OUTRIGGER_TYPO is ignored/);
  });

  it('tells once what telemetry would make of its variables', async () => {
    const file = await folder.write('o.yaml', 'service: { name: a }');
    const console = new FakeConsole(true);

    const code = await check(
      file,
      {},
      {
        OTEL_SDK_DISABLED: 'maybe',
        OTEL_METRIC_EXPORT_INTERVAL: 'abc',
        OTEL_CONFIG_FILE: '/otel.yaml',
        OTEL_EXPORTER_OTLP_COMPRESSION: 'brotli',
        OTEL_TRACES_SAMPLER: 'jaeger_remote',
      },
      console,
    );

    expect(code).to.equal(0);
    expect(console.errors.map((line) => line.split(' ')[1])).to.have.members([
      'OTEL_CONFIG_FILE:',
      'OTEL_EXPORTER_OTLP_COMPRESSION:',
      'OTEL_METRIC_EXPORT_INTERVAL:',
      'OTEL_SDK_DISABLED:',
    ]);
  });

  it('prints every mistake and ends with 2', async () => {
    const file = await folder.write('o.yaml', 'service: {}\nretires: {}');
    const console = new FakeConsole(true);

    expect(await check(undefined, { config: file }, {}, console)).to.equal(2);

    expect(console.errors).to.have.length(3);
    expect(console.errors[1]).to.equal(
      `${file}:2: retires: unknown key (did you mean \`retries\`?)`,
    );
    expect(console.errors[2]).to.equal('2 mistakes');
  });

  it('gives the mistakes as data where nobody reads a table', async () => {
    const file = await folder.write('o.yaml', 'retires: {}');
    const console = new FakeConsole(false);

    await check(undefined, {}, { OUTRIGGER_CONFIG: file, OUTRIGGER_SERVICE_NAME: 'a' }, console);

    expect(console.json).to.deep.equal([
      {
        file,
        ok: false,
        errors: [
          {
            source: `${file}:1`,
            path: 'retires',
            message: 'unknown key (did you mean `retries`?)',
          },
        ],
        warnings: [],
      },
    ]);
  });
});
