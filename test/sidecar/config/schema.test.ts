import { expect } from 'chai';
import {
  configJsonSchema,
  type JsonSchema,
  withoutNull,
} from '../../../sidecar/config/json-schema.ts';
import { resolveConfig, undeclaredUpstream } from '../../../sidecar/config/resolve.ts';
import { configSchema } from '../../../sidecar/config/schema.ts';

function keys(schema: JsonSchema, path: string): [string, JsonSchema][] {
  return [
    schema,
    ...(schema.anyOf ?? []),
    ...(schema.items?.anyOf ?? []),
    schema.items ?? {},
  ].flatMap((part) =>
    Object.entries(part.properties ?? {}).flatMap(([key, value]): [string, JsonSchema][] => [
      [`${path}${key}`, value],
      ...keys(value, `${path}${key}.`),
    ]),
  );
}

describe('configuration schema', () => {
  const all = keys(configJsonSchema(), '');

  it('describes every key', () => {
    expect(all.length).to.be.greaterThan(150);
    expect(
      all.filter(([, schema]) => (schema.description ?? '') === '').map(([key]) => key),
    ).to.deep.equal([]);
  });

  it('bounds every number', () => {
    const unbounded = all.filter(([, schema]) => {
      const { type, minimum, maximum } = withoutNull(schema);
      const numeric = type === 'integer' || type === 'number';
      return numeric && (minimum === undefined || maximum === undefined || maximum > 2 ** 41);
    });

    expect(unbounded.map(([key]) => key)).to.deep.equal([]);
  });

  it('bounds every text and list', () => {
    const unbounded = all.filter(([, schema]) => {
      const bare = withoutNull(schema);
      if (bare.type === 'array') return bare.maxItems === undefined;
      const free = bare.type === 'string' && bare.enum === undefined && bare.const === undefined;
      return free && bare.maxLength === undefined && bare.pattern === undefined;
    });

    expect(unbounded.map(([key]) => key)).to.deep.equal([]);
  });

  it('accepts no unknown key in any section', () => {
    const sections = [configJsonSchema(), ...all.map(([, schema]) => withoutNull(schema))];

    for (const section of sections) {
      if (section.properties !== undefined) expect(section.additionalProperties).to.equal(false);
    }
  });

  it('gives a service that is not declared the defaults of the top level', () => {
    const config = resolveConfig(
      configSchema.parse({
        service: { name: 'a' },
        retries: { max: 0 },
        upstreams: [{ service: 'b' }],
      }),
    );

    const undeclared = undeclaredUpstream('c', config);

    expect(undeclared).to.deep.equal({ ...config.upstreams[0], service: 'c', name: 'c' });
    expect(undeclared.retries.max).to.equal(0);
  });

  it('reads endpoints of every form', () => {
    const config = resolveConfig(
      configSchema.parse({
        service: { name: 'a' },
        upstreams: [
          {
            service: 'b',
            resolver: 'static',
            endpoints: [
              '10.0.0.1:80',
              '[::1]:81',
              { address: 'h', port: 82, weight: 5, zone: 'z' },
            ],
          },
        ],
      }),
    );

    expect(config.upstreams[0]?.endpoints).to.deep.equal([
      { address: '10.0.0.1', port: 80, weight: 1, zone: '', region: '' },
      { address: '::1', port: 81, weight: 1, zone: '', region: '' },
      { address: 'h', port: 82, weight: 5, zone: 'z', region: '' },
    ]);
  });

  it('lowers the case of hosts and field names, which do not depend on it', () => {
    const config = resolveConfig(
      configSchema.parse({
        service: { name: 'a' },
        routes: [
          { host: '*.Shop.Example', service: 'b', headers: [{ name: 'X-Canary', present: true }] },
        ],
      }),
    );

    expect(config.routes[0]).to.deep.include({ name: 'b#1', host: '*.shop.example' });
    expect(config.routes[0]?.headers[0]?.name).to.equal('x-canary');
  });

  describe('hosts', () => {
    const refused = (text: string, host: string): number => {
      const value = JSON.parse(text.replace('HOST', JSON.stringify(host))) as object;
      return configSchema.safeParse({ service: { name: 'a' }, ...value }).error?.issues.length ?? 0;
    };

    for (const text of [
      '{"service":{"name":"a","address":HOST}}',
      '{"inbound":{"host":HOST}}',
      '{"inbound":{"appHost":HOST}}',
      '{"forwardProxy":{"host":HOST}}',
      '{"upstreams":[{"service":"b","host":HOST}]}',
      '{"upstreams":[{"service":"b","endpoints":[{"address":HOST,"port":1}]}]}',
      '{"upstreams":[{"service":"b","dns":{"name":HOST}}]}',
      '{"consul":{"tls":{"serverName":HOST}}}',
    ]) {
      it(`are addresses or names that can be resolved: ${text}`, () => {
        for (const host of [
          '10.0.0.1',
          '::1',
          'fe80::1%eth0',
          'localhost',
          '_http._tcp.b.example.',
        ]) {
          expect(refused(text, host), host).to.equal(0);
        }
        for (const host of ['bad host!', '10.0.0.256', '[::1]', 'a..b', '-a', 'b:80', ':::']) {
          expect(refused(text, host), host).to.be.greaterThan(0);
        }
      });
    }

    it('are looked at in the short form of an endpoint and in the admin API too', () => {
      const endpoint = '{"upstreams":[{"service":"b","endpoints":[HOST]}]}';

      for (const host of ['10.0.0.256:80', '[:::]:80', '-a:80']) {
        expect(refused(endpoint, host), host).to.be.greaterThan(0);
      }
      expect(refused('{"admin":{"host":HOST}}', '127.0.0.999')).to.be.greaterThan(0);
      expect(refused('{"admin":{"host":HOST}}', '127.0.0.2')).to.equal(0);
    });
  });

  it('takes no collector that no exporter could reach', () => {
    const taken = (endpoint: string) =>
      configSchema.safeParse({ service: { name: 'a' }, trace: { otlp: { endpoint } } }).success;

    for (const address of ['', 'http://c:4318/v1/traces', 'https://c', 'c:4317', '[::1]:4317']) {
      expect(taken(address), address).to.equal(true);
    }
    for (const address of [
      'ftp://c',
      'http://',
      'http://u:p@c',
      'c',
      'http://c:99999',
      'c:99999',
    ]) {
      expect(taken(address), address).to.equal(false);
    }
  });
});
