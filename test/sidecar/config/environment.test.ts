import { expect } from 'chai';
import { formatConfigError } from '../../../sidecar/config/config-error.ts';
import { environmentKeys, readEnvironment } from '../../../sidecar/config/environment.ts';
import { readConsulEnvironment } from '../../../sidecar/config/environment-consul.ts';
import { readOtelEnvironment, withoutOverruled } from '../../../sidecar/config/environment-otel.ts';
import { loadConfig } from '../../../sidecar/config/load.ts';
import { telemetryOptions } from '../../../sidecar/telemetry-options.ts';
import { readEnvironment as telemetryEnvironment } from '../../../telemetry/environment.ts';
import { loadedOf } from './folder.ts';

function own(environment: NodeJS.ProcessEnv): Record<string, unknown> {
  const { values } = readEnvironment(environment);
  return Object.fromEntries(values.map(({ path, value }) => [path.join('.'), value]));
}

describe('OUTRIGGER_ variables', () => {
  it('have one name for each key outside lists', () => {
    const keys = environmentKeys();
    const paths = [...keys.values()].map((path) => path.join('.'));

    expect(new Set(paths).size).to.equal(keys.size);
    expect(keys.get('OUTRIGGER_INBOUND_APP_PORT')).to.deep.equal(['inbound', 'appPort']);
    expect(keys.get('OUTRIGGER_HOLD_START_MS')).to.deep.equal(['holdStartMs']);
    expect(keys.get('OUTRIGGER_CONSUL_TLS_CA_FILE')).to.deep.equal(['consul', 'tls', 'caFile']);
  });

  it('are read by the type of their key', () => {
    expect(
      own({
        OUTRIGGER_INBOUND_PORT: '21001',
        OUTRIGGER_TRACE_RATIO: '0.5',
        OUTRIGGER_CONSUL_REGISTER: 'False',
        OUTRIGGER_SERVICE_NAME: '42',
        OUTRIGGER_SERVICE_TAGS: 'v1, canary',
        OUTRIGGER_SERVICE_META: 'team=shop,tier=a=b',
        OUTRIGGER_RETRIES_ON: '502,503',
      }),
    ).to.deep.equal({
      'inbound.port': 21_001,
      'trace.ratio': 0.5,
      'consul.register': false,
      'service.name': '42',
      'service.tags': ['v1', 'canary'],
      'service.meta': { team: 'shop', tier: 'a=b' },
      'retries.on': [502, 503],
    });
  });

  it('leave what they cannot read as text, for the schema to refuse', () => {
    for (const text of ['0x10', '1e3', '+5', ' 5', '', '٣']) {
      const value = own({ OUTRIGGER_INBOUND_PORT: text })['inbound.port'];
      expect(value).to.equal(text === '' ? undefined : text);
    }
    expect(own({ OUTRIGGER_CONSUL_REGISTER: 'yes' })['consul.register']).to.equal('yes');
  });

  it('give upstreams in short and in full', () => {
    expect(own({ OUTRIGGER_UPSTREAMS: 'orders:9101, stock.dc2:9102,legacy' })).to.deep.equal({
      upstreams: [
        { service: 'orders', port: 9101 },
        { service: 'stock.dc2', port: 9102 },
        { service: 'legacy' },
      ],
    });
    expect(own({ OUTRIGGER_UPSTREAMS: '[{service: a, retries: {max: 1}}]' })).to.deep.equal({
      upstreams: [{ service: 'a', retries: { max: 1 } }],
    });
  });

  it('that nobody knows are reported, not refused', () => {
    const { values, unknown } = readEnvironment({
      OUTRIGGER_INBOUND_PROT: '1',
      OUTRIGGER_ADMIN: 'http://127.0.0.1:1',
      OUTRIGGER_UPSTREAM_ORDERS: '127.0.0.1:9101',
      OTHER: 'x',
    });

    expect(values).to.deep.equal([]);
    expect(unknown).to.deep.equal(['OUTRIGGER_INBOUND_PROT']);
  });
});

describe("Consul's variables", () => {
  it('stand for the keys under consul', () => {
    const { values } = readConsulEnvironment({
      CONSUL_HTTP_ADDR: 'https://consul.example:8501',
      CONSUL_HTTP_TOKEN: 't',
      CONSUL_HTTP_SSL_VERIFY: '0',
      CONSUL_CACERT: '/ca.pem',
      CONSUL_NAMESPACE: '',
    });

    expect(values.map(({ path, value }) => [path.join('.'), value])).to.deep.equal([
      ['consul.address', 'https://consul.example:8501'],
      ['consul.token', 't'],
      ['consul.tls.verify', false],
      ['consul.tls.caFile', '/ca.pem'],
    ]);
  });

  it('make an address without scheme https where CONSUL_HTTP_SSL says so', () => {
    const address = (environment: NodeJS.ProcessEnv) =>
      readConsulEnvironment(environment).values.findLast(({ path }) => path[1] === 'address')
        ?.value;

    expect(address({ CONSUL_HTTP_ADDR: 'c:1', CONSUL_HTTP_SSL: 'true' })).to.equal('https://c:1');
    expect(address({ CONSUL_HTTP_SSL: '1' })).to.equal('https://127.0.0.1:8500');
    expect(address({ CONSUL_HTTP_ADDR: 'unix:///s', CONSUL_HTTP_SSL: '1' })).to.equal('unix:///s');
    expect(address({ CONSUL_HTTP_ADDR: 'c:1', CONSUL_HTTP_SSL: 'f' })).to.equal('c:1');
  });

  it('do not take a CONSUL_HTTP_SSL that says neither for plain HTTP', () => {
    const mistakes = (text: string) => readConsulEnvironment({ CONSUL_HTTP_SSL: text }).mistakes;

    expect(mistakes('maybe').map(formatConfigError)).to.deep.equal([
      'env CONSUL_HTTP_SSL: expected `true` or `false`, got "maybe"',
    ]);
    for (const fine of ['', 'true', '1', 'T', 'FALSE', '0', 'f']) {
      expect(mistakes(fine)).to.deep.equal([]);
    }
  });
});

describe('OTEL_ variables', () => {
  const read = (environment: NodeJS.ProcessEnv, protocol?: string): Record<string, unknown> =>
    Object.fromEntries(
      readOtelEnvironment(environment, protocol).map(({ path, value }) => [
        path.slice(1).join('.'),
        value,
      ]),
    );

  it('stand for the keys under trace', () => {
    expect(
      read({
        OTEL_SERVICE_NAME: 'shop',
        OTEL_RESOURCE_ATTRIBUTES: 'a=1,b=x%20y',
        OTEL_TRACES_SAMPLER: 'ALWAYS_ON',
        OTEL_TRACES_SAMPLER_ARG: '0.25',
        OTEL_SDK_DISABLED: 'TRUE',
        OTEL_EXPORTER_OTLP_TIMEOUT: '500',
        OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '700',
        OTEL_BSP_MAX_QUEUE_SIZE: '64',
      }),
    ).to.deep.equal({
      serviceName: 'shop',
      resourceAttributes: { a: '1', b: 'x y' },
      sampler: 'always_on',
      ratio: 0.25,
      enabled: false,
      'otlp.timeoutMs': 700,
      'batch.maxQueueSize': 64,
    });
  });

  it('that are no good are left out, and never stop a start', () => {
    const values = read({
      OTEL_TRACES_SAMPLER: 'sometimes',
      OTEL_TRACES_SAMPLER_ARG: '7',
      OTEL_BSP_SCHEDULE_DELAY: 'soon',
      OTEL_RESOURCE_ATTRIBUTES: 'novalue',
      OTEL_SERVICE_NAME: 'a\nb',
      OTEL_EXPORTER_JAEGER_ENDPOINT: 'http://x',
    });

    expect(values).to.deep.equal({});
  });

  for (const address of [
    'http://user:pass@c:4318',
    'ftp://c',
    'c:4318',
    'http://\u00e4',
    'http://',
  ]) {
    it(`leave out ${address} as an endpoint`, () => {
      expect(read({ OTEL_EXPORTER_OTLP_ENDPOINT: address })).to.deep.equal({});
      expect(read({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: address })).to.deep.equal({});
    });
  }

  it('take an empty value for none', () => {
    expect(read({ OTEL_TRACES_SAMPLER: '', OTEL_SERVICE_NAME: '' })).to.deep.equal({});
  });

  it('append the path of the signal to the base URL only', () => {
    const endpoint = (environment: NodeJS.ProcessEnv, protocol?: string) =>
      read(environment, protocol)['otlp.endpoint'];
    const base = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318/' };

    expect(endpoint(base)).to.equal('http://c:4318/v1/traces');
    expect(endpoint(base, 'grpc')).to.equal('http://c:4318/');
    expect(endpoint({ OTEL_EXPORTER_OTLP_ENDPOINT: 'c:4317' }, 'grpc')).to.equal('c:4317');
    expect(endpoint({ ...base, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' })).to.equal('http://c:4318/');
    expect(endpoint({ ...base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://d/t' })).to.equal(
      'http://d/t',
    );
  });

  it('give way in telemetry too where a variable of our own says otherwise', async () => {
    const environment = {
      OUTRIGGER_SERVICE_NAME: 'a',
      OUTRIGGER_TRACE_SAMPLER: 'always_off',
      OUTRIGGER_TRACE_OTLP_ENDPOINT: 'http://ours:4318/v1/traces',
      OTEL_TRACES_SAMPLER: 'always_on',
      OTEL_TRACES_SAMPLER_ARG: '0.5',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://theirs:4318',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://theirs:4318/t',
    };
    const { config } = loadedOf(await loadConfig(null, environment));

    const rest = withoutOverruled(environment);
    const { settings } = telemetryEnvironment(rest, telemetryOptions(config));

    expect(settings.sampler).to.include({ name: 'always_off', ratio: 0.5 });
    expect(settings.traces.url).to.equal('http://ours:4318/v1/traces');
    expect(config.trace).to.include({ sampler: 'always_off', ratio: 0.5 });
  });
});
