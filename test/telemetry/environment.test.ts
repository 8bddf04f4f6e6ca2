import { expect } from 'chai';
import { readEnvironment } from '../../telemetry/environment.ts';
import type { Environment } from '../../telemetry/environment-reader.ts';
import type { TelemetrySettings } from '../../telemetry/settings.ts';
import { telemetryOptions } from '../support/telemetry-options.ts';

function read(
  environment: Environment,
  trace: Parameters<typeof telemetryOptions>[0] = {},
): { settings: TelemetrySettings; warnings: readonly string[] } {
  return readEnvironment(environment, telemetryOptions(trace));
}

/** What one variable is about: where it shows, with a good, a mixed-case and a bad value. */
interface Row {
  readonly name: string;
  readonly of: (settings: TelemetrySettings) => unknown;
  readonly good: readonly [value: string, expected: unknown];
  readonly mixed?: readonly [value: string, expected: unknown];
  readonly bad?: string;
}

const rows: readonly Row[] = [
  {
    name: 'OTEL_SDK_DISABLED',
    of: (s) => s.disabled,
    good: ['true', true],
    mixed: ['TruE', true],
    bad: '1',
  },
  {
    name: 'OTEL_LOG_LEVEL',
    of: (s) => s.diagLevel,
    good: ['debug', 'debug'],
    mixed: ['Error', 'error'],
    bad: 'loud',
  },
  { name: 'OTEL_SERVICE_NAME', of: (s) => s.serviceName, good: ['Shop', 'Shop'] },
  {
    name: 'OTEL_RESOURCE_ATTRIBUTES',
    of: (s) => ({ ...s.resourceAttributes }),
    good: ['team=core,note=a%20b', { team: 'core', note: 'a b' }],
    bad: 'team',
  },
  {
    name: 'OTEL_PROPAGATORS',
    of: (s) => s.propagators,
    good: ['b3,xray', ['b3', 'xray']],
    mixed: ['TraceContext,B3Multi,b3multi', ['tracecontext', 'b3multi']],
    bad: 'carrier-pigeon',
  },
  {
    name: 'OTEL_TRACES_SAMPLER',
    of: (s) => s.sampler.name,
    good: ['always_on', 'always_on'],
    mixed: ['ParentBased_Always_Off', 'parentbased_always_off'],
    bad: 'sometimes',
  },
  { name: 'OTEL_TRACES_SAMPLER_ARG', of: (s) => s.sampler.ratio, good: ['0.25', 0.25], bad: '1.5' },
  {
    name: 'OTEL_TRACES_EXPORTER',
    of: (s) => s.tracesExporters,
    good: ['otlp,console', ['otlp', 'console']],
    mixed: ['OTLP', ['otlp']],
    bad: 'zipkin',
  },
  {
    name: 'OTEL_METRICS_EXPORTER',
    of: (s) => [s.metricsExporters, s.prometheus.asked],
    good: ['otlp,prometheus', [['otlp', 'prometheus'], true]],
    mixed: ['Otlp', [['otlp'], true]],
    bad: 'statsd',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    of: (s) => [s.traces.url, s.metrics.url],
    good: ['http://c:1/x', ['http://c:1/x/v1/traces', 'http://c:1/x/v1/metrics']],
    bad: 'c:1',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    of: (s) => s.traces.url,
    good: ['https://c/own', 'https://c/own'],
    bad: 'ftp://c',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
    of: (s) => s.metrics.url,
    good: ['https://c/own', 'https://c/own'],
    bad: '://',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_PROTOCOL',
    of: (s) => s.traces.protocol,
    good: ['grpc', 'grpc'],
    mixed: ['GRPC', 'grpc'],
    bad: 'smoke',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_HEADERS',
    of: (s) => ({ ...s.traces.headers }),
    good: ['authorization=Bearer%20x,a=b', { authorization: 'Bearer x', a: 'b' }],
    bad: '=x',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_TIMEOUT',
    of: (s) => s.traces.timeoutMs,
    good: ['250', 250],
    bad: '-1',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_COMPRESSION',
    of: (s) => s.traces.compression,
    good: ['gzip', 'gzip'],
    mixed: ['GZip', 'gzip'],
    bad: 'zstd',
  },
  {
    name: 'OTEL_EXPORTER_OTLP_CERTIFICATE',
    of: (s) => s.traces.caFile,
    good: ['/ca.pem', '/ca.pem'],
  },
  {
    name: 'OTEL_EXPORTER_OTLP_CLIENT_KEY',
    of: (s) => s.traces.keyFile,
    good: ['/k.pem', '/k.pem'],
  },
  {
    name: 'OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE',
    of: (s) => s.traces.certFile,
    good: ['/c.pem', '/c.pem'],
  },
  { name: 'OTEL_BSP_SCHEDULE_DELAY', of: (s) => s.batch.delayMs, good: ['7', 7], bad: 'soon' },
  { name: 'OTEL_BSP_EXPORT_TIMEOUT', of: (s) => s.batch.timeoutMs, good: ['7', 7], bad: '0' },
  { name: 'OTEL_BSP_MAX_QUEUE_SIZE', of: (s) => s.batch.maxQueueSize, good: ['7', 7], bad: '0' },
  {
    name: 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
    of: (s) => s.batch.maxBatchSize,
    good: ['7', 7],
    bad: '1e3',
  },
  {
    name: 'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT',
    of: (s) => s.spanLimits.valueLength,
    good: ['64', 64],
    bad: '0',
  },
  {
    name: 'OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT',
    of: (s) => s.spanLimits.valueLength,
    good: ['64', 64],
    bad: 'x',
  },
  {
    name: 'OTEL_ATTRIBUTE_COUNT_LIMIT',
    of: (s) => s.spanLimits.attributes,
    good: ['9', 9],
    bad: 'x',
  },
  {
    name: 'OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT',
    of: (s) => s.spanLimits.attributes,
    good: ['9', 9],
    bad: 'x',
  },
  { name: 'OTEL_SPAN_EVENT_COUNT_LIMIT', of: (s) => s.spanLimits.events, good: ['9', 9], bad: 'x' },
  { name: 'OTEL_SPAN_LINK_COUNT_LIMIT', of: (s) => s.spanLimits.links, good: ['9', 9], bad: 'x' },
  {
    name: 'OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT',
    of: (s) => s.spanLimits.attributesPerEvent,
    good: ['9', 9],
    bad: 'x',
  },
  {
    name: 'OTEL_LINK_ATTRIBUTE_COUNT_LIMIT',
    of: (s) => s.spanLimits.attributesPerLink,
    good: ['9', 9],
    bad: 'x',
  },
  { name: 'OTEL_METRIC_EXPORT_INTERVAL', of: (s) => s.metricIntervalMs, good: ['9', 9], bad: '0' },
  { name: 'OTEL_METRIC_EXPORT_TIMEOUT', of: (s) => s.metricTimeoutMs, good: ['9', 9], bad: '0' },
  {
    name: 'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE',
    of: (s) => s.temporality,
    good: ['delta', 'delta'],
    mixed: ['LowMemory', 'lowmemory'],
    bad: 'eternal',
  },
  {
    name: 'OTEL_EXPORTER_PROMETHEUS_HOST',
    of: (s) => s.prometheus,
    good: ['0.0.0.0', { host: '0.0.0.0', port: 9464, asked: true }],
  },
  {
    name: 'OTEL_EXPORTER_PROMETHEUS_PORT',
    of: (s) => s.prometheus.port,
    good: ['9000', 9000],
    bad: '70000',
  },
  {
    name: 'OTEL_SEMCONV_STABILITY_OPT_IN',
    of: (s) => s.duplicateHttpNames,
    good: ['rpc,http/dup', true],
    mixed: ['HTTP/Dup', true],
  },
  {
    name: 'OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS',
    of: (s) => s.knownMethods,
    good: ['GET, PURGE', ['GET', 'PURGE']],
    bad: 'GET,,',
  },
];

describe('telemetry environment', () => {
  const unset = read({}).settings;

  for (const { name, of, good, mixed, bad } of rows) {
    describe(name, () => {
      it('takes a valid value', () => {
        const { settings, warnings } = read({ [name]: ` ${good[0]} ` });

        expect(of(settings)).to.deep.equal(good[1]);
        expect(of(unset)).not.to.deep.equal(good[1]);
        expect(warnings).to.deep.equal([]);
      });

      it('takes empty for unset', () => {
        const { settings, warnings } = read({ [name]: ' ' });

        expect(of(settings)).to.deep.equal(of(unset));
        expect(warnings).to.deep.equal([]);
      });

      if (mixed !== undefined) {
        it('compares keywords without case', () => {
          expect(of(read({ [name]: mixed[0] }).settings)).to.deep.equal(mixed[1]);
        });
      }

      if (bad !== undefined) {
        it('warns once about a value that makes no sense, and ignores it', () => {
          const { settings, warnings } = read({ [name]: bad });

          expect(of(settings)).to.deep.equal(of(unset));
          expect(warnings).to.have.length(1);
          expect(warnings[0]).to.match(new RegExp(`^${name}: `));
        });
      }
    });
  }

  it('prefers a per-signal variable over the general one', () => {
    const { settings } = read({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://general:4318',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://own:1/t',
      OTEL_EXPORTER_OTLP_HEADERS: 'a=1,b=2',
      OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'b=3',
      OTEL_EXPORTER_OTLP_TIMEOUT: '100',
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '200',
    });

    expect(settings.traces.url).to.equal('http://own:1/t');
    expect(settings.metrics.url).to.equal('http://general:4318/v1/metrics');
    expect({ ...settings.metrics.headers }).to.deep.equal({ a: '1', b: '3' });
    expect([settings.traces.timeoutMs, settings.metrics.timeoutMs]).to.deep.equal([200, 100]);
  });

  const grpc: Record<string, readonly [Environment, string]> = {
    'the default': [{}, 'http://localhost:4317'],
    'a URL': [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c:4317/ignored' }, 'https://c:4317'],
    'an authority': [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'c:4317' }, 'https://c:4317'],
    'an authority made insecure': [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'c:4317', OTEL_EXPORTER_OTLP_INSECURE: 'True' },
      'http://c:4317',
    ],
    'a URL, whatever insecure says': [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c:4317', OTEL_EXPORTER_OTLP_TRACES_INSECURE: 'true' },
      'https://c:4317',
    ],
  };
  for (const [what, [environment, url]] of Object.entries(grpc)) {
    it(`connects gRPC to ${what}`, () => {
      const { settings } = read({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', ...environment });

      expect(settings.traces.url).to.equal(url);
    });
  }

  it('names the service by variable, attribute, file and registry, in this order', () => {
    const file = { trace: { serviceName: '{service}-proxy', resourceAttributes: {} } };
    const attribute = { OTEL_RESOURCE_ATTRIBUTES: 'service.name=attribute' };

    expect(
      read({ ...attribute, OTEL_SERVICE_NAME: 'variable' }, file).settings.serviceName,
    ).to.equal('variable');
    expect(read(attribute, file).settings.serviceName).to.equal('attribute');
    expect(read({}, file).settings.serviceName).to.equal('frontend-proxy');
    expect(read({}).settings.serviceName).to.equal('frontend');
  });

  it('wins over the file', () => {
    const file = { trace: { sampler: 'always_on', exporter: 'otlp', enabled: false } } as const;

    expect(read({}, file).settings).to.deep.include({ disabled: true, tracesExporters: ['otlp'] });
    expect(
      read({ OTEL_SDK_DISABLED: 'false', OTEL_TRACES_EXPORTER: 'none' }, file).settings,
    ).to.deep.include({ disabled: false, tracesExporters: [] });
  });

  it('reads the options of the Jaeger samplers', () => {
    const { settings, warnings } = read({
      OTEL_TRACES_SAMPLER: 'parentbased_jaeger_remote',
      OTEL_TRACES_SAMPLER_ARG:
        'endpoint=http://jaeger:5778,pollingIntervalMs=5000,initialSamplingRate=0.5',
    });

    expect(settings.sampler).to.deep.equal({
      name: 'parentbased_jaeger_remote',
      ratio: 0.5,
      remoteEndpoint: 'http://jaeger:5778',
      remotePollMs: 5000,
    });
    expect(warnings).to.deep.equal([]);
  });

  it('never lets a batch be larger than the queue', () => {
    expect(read({ OTEL_BSP_MAX_QUEUE_SIZE: '100' }).settings.batch.maxBatchSize).to.equal(100);
  });

  it('says which variables have no effect here, once each, and where spans go instead', () => {
    const { warnings } = read({
      OTEL_EXPORTER_ZIPKIN_ENDPOINT: 'http://zipkin:9411',
      OTEL_EXPORTER_JAEGER_AGENT_HOST: 'jaeger',
      OTEL_LOGS_EXPORTER: 'otlp',
      OTEL_ENTITIES: 'x',
      OTEL_CONFIG_FILE: '/otel.yaml',
      OTEL_PROPAGATORS: 'tracecontext,ottrace',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION:
        'base2_exponential_bucket_histogram',
      OTEL_METRICS_EXEMPLAR_FILTER: 'odd',
      OTEL_BLRP_MAX_QUEUE_SIZE: '-1',
    });

    expect(warnings).to.have.length(10);
    expect(warnings.filter((text) => text.includes('4318'))).to.have.length(2);
  });

  it('never repeats a secret in a warning', () => {
    const { warnings } = read({
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization%zz=topsecret,alsosecret',
    });

    expect(warnings).to.have.length(1);
    expect(warnings.join()).not.to.contain('secret');
  });
});
