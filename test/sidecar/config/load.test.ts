import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { loadConfig } from '../../../sidecar/config/load.ts';
import { Folder, lines, loadedOf, loadText } from './folder.ts';

describe('loading a configuration', () => {
  let folder: Folder;
  beforeEach(async () => {
    folder = await Folder.create();
  });
  afterEach(() => folder.remove());

  const yaml = (text: string, environment: NodeJS.ProcessEnv = {}) =>
    loadText(folder, text, environment);
  const mistakes = async (text: string, environment: NodeJS.ProcessEnv = {}) =>
    lines(await yaml(text, environment), folder);

  it('needs nothing but a name', async () => {
    const { config } = loadedOf(await yaml('service: { name: orders }'));

    expect(config.service.name).to.equal('orders');
    expect(config.inbound.port).to.equal(21_000);
    expect(config.retries.on).to.deep.equal([502, 503, 504]);
  });

  it('reads JSON as it reads YAML', async () => {
    const text = '{\n\t"service": { "name": "orders" },\n\t"inbound": { "appPort": 8080 }\n}';

    const { config } = loadedOf(await loadText(folder, text, {}, 'outrigger.json'));

    expect(config.inbound.appPort).to.equal(8080);
  });

  it('tells every mistake at once, with line, expectation, value and nearest key', async () => {
    const found = await mistakes(`service:
  name: orders
  zoen: eu-a
inbound:
  port: 0
  appPort: "8080"
upstreams:
  - service: stock
    protocol: htpp
  - port: 9101
http: { maxFields: many }
`);

    expect(found).to.deep.equal([
      'outrigger.yaml:3: service.zoen: unknown key (did you mean `zone`?)',
      'outrigger.yaml:5: inbound.port: expected a whole number 1–65535, got 0',
      'outrigger.yaml:6: inbound.appPort: expected a whole number 1–65535, got "8080"',
      'outrigger.yaml:9: upstreams[0].protocol: expected `http`, got "htpp" (did you mean `http`?)',
      'outrigger.yaml:10: upstreams[1].service: expected a name of letters, digits, `-`, `_` and `.`, got nothing',
      'outrigger.yaml:11: http.maxFields: expected a whole number 8–4096, got "many"',
    ]);
  });

  it('tells keys that contradict each other beside keys that are wrong', async () => {
    const found = await mistakes(`service: { name: orders }
upstreams:
  - { service: stock, resolver: static }
  - { service: stock, port: 70000 }
nonsense: true
`);

    expect(found).to.deep.equal([
      'outrigger.yaml:3: upstreams[0].endpoints: expected at least one endpoint for `resolver: static`, got none',
      'outrigger.yaml:4: upstreams[1].port: expected a whole number 1–65535, got 70000',
      'outrigger.yaml:5: nonsense: unknown key',
    ]);
  });

  it('tells a value that breaks several rules once', async () => {
    const found = await mistakes('service: { name: "" }\ninbound: { host: "nonsense host" }\n');

    expect(found).to.deep.equal([
      'outrigger.yaml:1: service.name: expected a name of letters, digits, `-`, `_` and `.`, got ""',
      'outrigger.yaml:2: inbound.host: expected an IP address or a host name, got "nonsense host"',
    ]);
  });

  it('tells mistakes of the file itself beside all others', async () => {
    const found = await mistakes(`service: { name: shop, name: b }
__proto__: { x: 1 }
inbound: { port: 0 }
[list]: 1
nonsense: true
upstreams: [{ service: stock, resolver: static }]
inbound: { port: -1 }
`);

    expect(found).to.deep.equal([
      'outrigger.yaml:1: service.name: expected a key once, got it twice',
      'outrigger.yaml:2: __proto__: this key is never allowed',
      'outrigger.yaml:3: inbound.port: expected a whole number 1–65535, got 0',
      'outrigger.yaml:4: expected text as a key, got "[" at column 1',
      'outrigger.yaml:5: nonsense: unknown key',
      'outrigger.yaml:6: upstreams[0].endpoints: expected at least one endpoint for `resolver: static`, got none',
      'outrigger.yaml:7: inbound: expected a key once, got it twice',
    ]);
  });

  it('refuses a file whose only mistake is one of the file itself', async () => {
    expect(await mistakes('service: { name: a }\nlog: {}\nlog: {}\n')).to.deep.equal([
      'outrigger.yaml:3: log: expected a key once, got it twice',
    ]);
  });

  it('lets a variable change one use of an anchor only', async () => {
    const { config } = loadedOf(
      await yaml('service: { name: a }\nlimits: &l { maxWaiting: 5 }\ninbound: { limits: *l }', {
        OUTRIGGER_LIMITS_MAX_WAITING: '7',
      }),
    );

    expect([config.limits.maxWaiting, config.inbound.limits.maxWaiting]).to.deep.equal([7, 5]);
  });

  it('asks for the name when there is nothing at all', async () => {
    expect(await mistakes('')).to.deep.equal([
      'outrigger.yaml:1: service.name: expected a name of letters, digits, `-`, `_` and `.`, got nothing',
    ]);
    expect((await loadConfig(null, {})).ok).to.equal(false);
    expect((await loadConfig(null, { OUTRIGGER_SERVICE_NAME: 'orders' })).ok).to.equal(true);
  });

  it('refuses a file that is not a mapping', async () => {
    expect(await mistakes('# list\n- a\n- b\n')).to.deep.equal([
      'outrigger.yaml:2: expected a mapping of sections, got a list of 2',
    ]);
    expect(await mistakes('just text')).to.deep.equal([
      'outrigger.yaml:1: expected a mapping of sections, got "just text"',
    ]);
  });

  it('never shows a secret, also not a wrong one', async () => {
    const found = await mistakes('service: { name: a }\nconsul: { token: ["s3cret"] }\n');

    expect(found.join()).to.contain('consul.token').and.not.contain('s3cret');
  });

  describe('precedence', () => {
    it('puts the environment over the file, and the file over the default', async () => {
      const environment = { OUTRIGGER_INBOUND_PORT: '22000' };

      const { config, sources } = loadedOf(
        await yaml('service: { name: a }\ninbound: { port: 21500, appPort: 80 }', environment),
      );

      expect(config.inbound).to.include({ port: 22_000, appPort: 80, appHost: '127.0.0.1' });
      expect(sources.of(['inbound', 'port'])).to.equal('env:OUTRIGGER_INBOUND_PORT');
      expect(sources.of(['inbound', 'appPort'])).to.equal(
        `${join(folder.path, 'outrigger.yaml')}:2`,
      );
      expect(sources.of(['inbound', 'appHost'])).to.equal('default');
    });

    it('puts our own variables over those of Consul and OpenTelemetry', async () => {
      const { config } = loadedOf(
        await yaml('service: { name: a }', {
          CONSUL_HTTP_ADDR: '10.0.0.1:8500',
          OUTRIGGER_CONSUL_ADDRESS: '10.0.0.2:8500',
          OTEL_TRACES_SAMPLER: 'always_on',
          OUTRIGGER_TRACE_SAMPLER: 'always_off',
        }),
      );

      expect(config.consul.address).to.equal('10.0.0.2:8500');
      expect(config.trace.sampler).to.equal('always_off');
    });

    it('leaves warnings about OTEL_ variables to telemetry, so that each comes once', async () => {
      const { warnings } = loadedOf(
        await yaml('service: { name: a }', { OTEL_EXPORTER_OTLP_COMPRESSION: 'brotli' }),
      );

      expect(warnings).to.deep.equal([]);
    });

    it('makes a CONSUL_HTTP_SSL that says neither a mistake, beside those of the file', async () => {
      const found = await mistakes('service: { nam: a }', { CONSUL_HTTP_SSL: 'maybe' });

      expect(found[0]).to.equal('env CONSUL_HTTP_SSL: expected `true` or `false`, got "maybe"');
      expect(found).to.have.length(3);
    });

    it('lets a token of the environment replace a token file, and the reverse', async () => {
      const file = 'service: { name: a }\nconsul: { tokenFile: /run/token }';

      const token = loadedOf(await yaml(file, { CONSUL_HTTP_TOKEN: 'abc' })).config.consul;
      const other = loadedOf(
        await yaml('service: { name: a }\nconsul: { token: abc }', {
          CONSUL_HTTP_TOKEN_FILE: '/run/token',
        }),
      ).config.consul;

      expect(token).to.include({ token: 'abc', tokenFile: '' });
      expect(other).to.include({ token: '', tokenFile: '/run/token' });
      expect(await mistakes(`${file.slice(0, -1)}, token: abc }`)).to.deep.equal([
        'outrigger.yaml:2: consul.tokenFile: expected either `token` or `tokenFile`, got both',
      ]);
    });

    it('names the variable that holds a mistake', async () => {
      const found = await mistakes('service: { name: a }', { OUTRIGGER_INBOUND_APP_PORT: '0x50' });

      expect(found).to.deep.equal([
        'env OUTRIGGER_INBOUND_APP_PORT: inbound.appPort: expected a whole number 1–65535, got "0x50"',
      ]);
    });
  });

  describe('inheritance', () => {
    it('gives an upstream the policies of the top level, key by key', async () => {
      const { config, sources } = loadedOf(
        await yaml(`service: { name: a }
retries: { max: 1, baseMs: 50 }
limits: { maxRequests: 10 }
upstreams:
  - { service: b, retries: { max: 3, on: [503] } }
  - { service: c }
`),
      );
      const [b, c] = config.upstreams;

      expect(b?.retries).to.include({ max: 3, baseMs: 50, maxMs: 250 });
      expect(b?.retries.on).to.deep.equal([503]);
      expect(c?.retries).to.equal(config.retries);
      expect(config.inbound.limits.maxRequests).to.equal(10);
      const at = (key: string) => sources.of(['upstreams', 0, 'retries', key]).split(':').at(-1);
      expect([at('max'), at('baseMs'), at('maxMs')]).to.deep.equal(['5', '2', 'default']);
    });

    it('reaches keys inside keys', async () => {
      const { config } = loadedOf(
        await yaml(`service: { name: a }
balancing: { slowStart: { windowMs: 1000 } }
upstreams: [{ service: b, balancing: { slowStart: { aggression: 2 } } }]
`),
      );

      expect(config.upstreams[0]?.balancing.slowStart).to.deep.equal({
        windowMs: 1000,
        aggression: 2,
      });
    });

    it('checks what overrides as strictly as what is overridden', async () => {
      expect(
        await mistakes(
          'service: { name: a }\nupstreams: [{ service: b, retries: { max: 11, mx: 1 } }]',
        ),
      ).to.deep.equal([
        'outrigger.yaml:2: upstreams[0].retries.max: expected a whole number 0–10, got 11',
        'outrigger.yaml:2: upstreams[0].retries.mx: unknown key (did you mean `max`?)',
      ]);
    });
  });

  describe('files that are none', () => {
    it('says so when there is no file', async () => {
      const result = await loadConfig(join(folder.path, 'absent.yaml'), {});

      expect(lines(result, folder)).to.deep.equal(['absent.yaml: no such file']);
    });

    it('refuses a folder', async () => {
      const path = join(folder.path, 'folder.yaml');
      await mkdir(path);

      const [first] = lines(await loadConfig(path, {}), folder);

      expect(first).to.equal('folder.yaml: expected a regular file, got a folder');
    });

    it('refuses a pipe without waiting for its writer', async () => {
      const path = join(folder.path, 'pipe.yaml');
      await promisify(execFile)('mkfifo', [path]);

      expect(lines(await loadConfig(path, {}), folder)).to.deep.equal([
        'pipe.yaml: expected a regular file, got a pipe',
      ]);
    });

    it('refuses more than 1 MiB, and takes exactly that', async () => {
      const base = 'service: { name: a }\n#';
      const full = await folder.write('full.yaml', base.padEnd(1_048_576, 'x'));
      const over = await folder.write('over.yaml', base.padEnd(1_048_577, 'x'));

      expect((await loadConfig(full, {})).ok).to.equal(true);
      expect(lines(await loadConfig(over, {}), folder)).to.deep.equal([
        'over.yaml: expected at most 1048576 bytes, got more',
      ]);
    });

    it('refuses bytes that are not UTF-8', async () => {
      const path = await folder.write('latin.yaml', Buffer.from([0x61, 0x3a, 0xe4, 0x0a]));

      expect(lines(await loadConfig(path, {}), folder)).to.deep.equal([
        'latin.yaml: expected UTF-8 text, got other bytes',
      ]);
    });
  });

  it('answers any plain data with a configuration or with mistakes, never with an exception', async () => {
    const keys = fc.constantFrom(
      'service',
      'upstreams',
      'routes',
      'consul',
      '__proto__',
      'toString',
      'x',
    );
    const data = fc.dictionary(keys, fc.jsonValue({ maxDepth: 4 }), { noNullPrototype: true });

    await fc.assert(
      fc.asyncProperty(data, async (value) => {
        const result = await loadText(folder, JSON.stringify(value), {}, 'any.json');

        if (!result.ok) expect(result.errors).to.not.be.empty;
      }),
      { numRuns: 60 },
    );
  });
});
