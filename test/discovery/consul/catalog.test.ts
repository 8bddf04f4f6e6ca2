import { expect } from 'chai';
import { type CatalogOptions, readHealth } from '../../../discovery/consul/catalog.ts';
import type { EndpointSpec } from '../../../discovery/resolver.ts';

const OPTIONS: CatalogOptions = { zoneKey: 'zone', regionKey: 'region', addressTag: null };

type Fields = Readonly<Record<string, unknown>>;

function entry(parts: { node?: Fields; service?: Fields; checks?: readonly Fields[] }): unknown {
  return {
    Node: { Node: 'n1', Address: '10.0.0.1', Meta: {}, ...parts.node },
    Service: { ID: 'web-1', Service: 'web', Address: '10.0.0.5', Port: 9001, ...parts.service },
    Checks: parts.checks ?? [],
  };
}

function read(
  parts: Parameters<typeof entry>[0],
  options: Partial<CatalogOptions> = {},
): EndpointSpec {
  const catalog = readHealth([entry(parts)], { ...OPTIONS, ...options });
  if (!catalog.ok || catalog.endpoints[0] === undefined) throw new Error(JSON.stringify(catalog));
  return catalog.endpoints[0];
}

function check(Status: string, fields: Fields = {}): Fields {
  return { CheckID: 'c', ServiceID: 'web-1', Status, ...fields };
}

describe('consul catalogue', () => {
  it('reads an instance', () => {
    const endpoint = read({ service: { Tags: ['v1'], Meta: { version: '1', outrigger: 'h2' } } });

    expect(endpoint).to.deep.equal({
      id: 'n1/web-1',
      address: '10.0.0.5',
      port: 9001,
      weight: 1,
      zone: '',
      region: '',
      health: 'passing',
      tags: ['v1'],
      meta: new Map([
        ['version', '1'],
        ['outrigger', 'h2'],
      ]),
    });
  });

  describe('health', () => {
    const cases: readonly [string, readonly Fields[], EndpointSpec['health']][] = [
      ['without checks', [], 'passing'],
      ['with a warning', [check('warning')], 'passing'],
      ['with one critical check of several', [check('passing'), check('critical')], 'critical'],
      ['with a critical check of its node', [check('critical', { ServiceID: '' })], 'critical'],
      [
        'with a critical check of a neighbour',
        [check('critical', { ServiceID: 'other' })],
        'passing',
      ],
      [
        'in maintenance',
        [check('critical', { CheckID: '_service_maintenance:web-1' })],
        'maintenance',
      ],
      [
        'on a node in maintenance',
        [check('critical', { CheckID: '_node_maintenance', ServiceID: '' })],
        'maintenance',
      ],
      ['with a status nobody knows', [check('melted')], 'critical'],
    ];
    for (const [name, checks, health] of cases) {
      it(`${name} is ${health}`, () => expect(read({ checks }).health).to.equal(health));
    }
  });

  describe('weight', () => {
    const cases: readonly [string, unknown, readonly Fields[], number][] = [
      ['is the passing one', { Passing: 10, Warning: 3 }, [], 10],
      ['is the warning one on a warning', { Passing: 10, Warning: 3 }, [check('warning')], 3],
      ['may be 0 on a warning', { Passing: 10, Warning: 0 }, [check('warning')], 0],
      ['is 1 when none is set', undefined, [], 1],
      ['is 1 when both are the zero value', { Passing: 0, Warning: 0 }, [check('warning')], 1],
      ['is capped', { Passing: 1e9, Warning: 1 }, [], 65_535],
    ];
    for (const [name, Weights, checks, weight] of cases) {
      it(name, () => expect(read({ service: { Weights }, checks }).weight).to.equal(weight));
    }
  });

  describe('zone', () => {
    const sources: readonly [string, Parameters<typeof entry>[0]][] = [
      ['locality of the service', { service: { Locality: { Zone: 'a', Region: 'r' } } }],
      ['meta of the service', { service: { Meta: { zone: 'a', region: 'r' } } }],
      ['locality of the node', { node: { Locality: { Zone: 'a', Region: 'r' } } }],
      ['meta of the node', { node: { Meta: { zone: 'a', region: 'r' } } }],
    ];
    for (const [i, [name, parts]] of sources.entries()) {
      it(`comes from the ${name} before anything after it`, () => {
        const later = sources.slice(i + 1).map(([, other]) => other);
        const merged = {
          node: Object.assign({}, ...later.map(({ node }) => wrong(node)), parts.node),
          service: Object.assign({}, ...later.map(({ service }) => wrong(service)), parts.service),
        };

        expect(read(merged)).to.deep.include({ zone: 'a', region: 'r' });
      });
    }

    function wrong(fields: Fields | undefined): Fields {
      return JSON.parse(
        JSON.stringify(fields ?? {})
          .replaceAll('"a"', '"late"')
          .replaceAll('"r"', '"late"'),
      ) as Fields;
    }

    it('is read under the configured key', () => {
      const endpoint = read({ node: { Meta: { az: 'eu-1' } } }, { zoneKey: 'az' });

      expect(endpoint.zone).to.equal('eu-1');
    });
  });

  describe('address', () => {
    const tagged = { TaggedAddresses: { wan: { Address: '1.2.3.4', Port: 443 } } };
    const nodeTagged = { TaggedAddresses: { wan: '5.6.7.8' } };
    const cases: readonly [
      string,
      Parameters<typeof entry>[0],
      CatalogOptions['addressTag'],
      [string, number],
    ][] = [
      ['is that of the service', {}, null, ['10.0.0.5', 9001]],
      ['is that of the node without one', { service: { Address: '' } }, null, ['10.0.0.1', 9001]],
      ['ignores tagged ones by default', { service: tagged }, null, ['10.0.0.5', 9001]],
      ['is the tagged one with its port', { service: tagged }, 'wan', ['1.2.3.4', 443]],
      ['is that of the service without the tag', { node: nodeTagged }, 'wan', ['10.0.0.5', 9001]],
      [
        'is the tagged one of the node without one of the service',
        { node: nodeTagged, service: { Address: '' } },
        'wan',
        ['5.6.7.8', 9001],
      ],
      ['loses the brackets of IPv6', { service: { Address: '[::1]' } }, null, ['::1', 9001]],
      [
        'has the default one of several ports',
        {
          service: {
            Port: 0,
            Ports: [
              { Name: 'a', Port: 1 },
              { Name: 'b', Port: 2, Default: true },
            ],
          },
        },
        null,
        ['10.0.0.5', 2],
      ],
    ];
    for (const [name, parts, addressTag, [address, port]] of cases) {
      it(name, () => expect(read(parts, { addressTag })).to.deep.include({ address, port }));
    }
  });

  it('leaves out what cannot be dialled and says so', () => {
    const catalog = readHealth(
      [
        entry({ service: { ID: 'zero', Port: 0 } }),
        entry({ service: { ID: 'big', Port: 70_000 } }),
        entry({ service: { ID: 'odd', Address: 'a b\r\nc' } }),
        entry({}),
      ],
      OPTIONS,
    );

    expect(catalog.ok && catalog.endpoints.map(({ id }) => id)).to.deep.equal(['n1/web-1']);
    expect(catalog.ok && catalog.skipped.map((text) => text.split(':')[0])).to.deep.equal([
      'n1/zero',
      'n1/big',
      'n1/odd',
    ]);
  });

  it('refuses an answer of another shape as a whole', () => {
    for (const answer of [null, {}, 'x', [null], [{}], [entry({}), { Node: {}, Service: {} }]]) {
      expect(readHealth(answer, OPTIONS).ok, JSON.stringify(answer)).to.equal(false);
    }
  });

  it('takes meta keys of the prototype as plain keys', () => {
    const answer: unknown = JSON.parse(
      JSON.stringify([entry({ service: { Meta: { X: 'polluted' } } })]).replace(
        '"X"',
        '"__proto__"',
      ),
    );
    const catalog = readHealth(answer, OPTIONS);

    expect(catalog.ok && catalog.endpoints[0]?.meta.get('__proto__')).to.equal('polluted');
  });
});
