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
});
