import { expect } from 'chai';
import fc from 'fast-check';
import type { RequestHead } from '../../../sidecar/message/head.ts';
import { HeaderList } from '../../../sidecar/message/headers.ts';
import { hostOf } from '../../../sidecar/route/host.ts';
import { matchesPrefix } from '../../../sidecar/route/path-prefix.ts';
import type { Route } from '../../../sidecar/route/route.ts';
import { type RouteRule, RouteTable } from '../../../sidecar/route/table.ts';

function rule(name: string, conditions: Partial<RouteRule> = {}): RouteRule {
  return { host: null, path: null, headers: [], ...conditions, route: { name } as Route };
}

function head(authority: string, path = '/', fields: [string, string][] = []): RequestHead {
  return {
    method: 'GET',
    scheme: 'http',
    authority,
    path,
    version: '1.1',
    protocol: null,
    headers: HeaderList.of(fields),
    contentLength: null,
    ended: true,
  };
}

describe('route table', () => {
  it('asks the most specific host first, whatever the order of the rules', () => {
    const table = new RouteTable([
      rule('any'),
      rule('suffix', { host: '*.example' }),
      rule('longer', { host: '*.shop.example' }),
      rule('exact', { host: 'pay.shop.example' }),
    ]);

    expect(table.match(head('pay.shop.example:80'))?.name).to.equal('exact');
    expect(table.match(head('a.shop.example'))?.name).to.equal('longer');
    expect(table.match(head('a.example'))?.name).to.equal('suffix');
    expect(table.match(head('example'))?.name).to.equal('any');
  });

  it('takes the first rule that matches within a host and falls through to less specific hosts', () => {
    const table = new RouteTable([
      rule('pay', { host: 'shop', path: '/pay' }),
      rule('canary', {
        host: 'shop',
        path: '/',
        headers: [{ name: 'x-canary', kind: 'exact', value: '1' }],
      }),
      rule('rest'),
    ]);

    expect(table.match(head('shop', '/pay/now'))?.name).to.equal('pay');
    expect(table.match(head('shop', '/a', [['X-Canary', '1']]))?.name).to.equal('canary');
    expect(table.match(head('shop', '/a', [['X-Canary', '2']]))?.name).to.equal('rest');
  });

  it('compares fields by presence and prefix too', () => {
    const table = new RouteTable([
      rule('present', { headers: [{ name: 'a', kind: 'present', value: '' }] }),
      rule('prefix', { headers: [{ name: 'b', kind: 'prefix', value: 'v1' }] }),
    ]);

    expect(table.match(head('x', '/', [['A', '']]))?.name).to.equal('present');
    expect(table.match(head('x', '/', [['b', 'v1.2']]))?.name).to.equal('prefix');
    expect(table.match(head('x', '/', [['b', 'v2']]))).to.equal(null);
  });

  it('asks for undeclared hosts last', () => {
    const asked: string[] = [];
    const table = new RouteTable([rule('known', { host: 'known' })], (host) => {
      asked.push(host);
      return null;
    });

    expect(table.match(head('known'))?.name).to.equal('known');
    expect(table.match(head('Other:8080'))).to.equal(null);
    expect(asked).to.deep.equal(['other']);
  });

  it('finds what a plain search over the rules would find', () => {
    const hosts = ['a', 'b.c', 'x.b.c', null, '*.b.c', '*.c'];
    const paths = [null, '/', '/p', '/p/q'];
    fc.assert(
      fc.property(
        fc.array(fc.record({ host: fc.constantFrom(...hosts), path: fc.constantFrom(...paths) }), {
          maxLength: 8,
        }),
        fc.constantFrom('a', 'b.c', 'x.b.c', 'y.x.b.c', 'z'),
        fc.constantFrom('/', '/p', '/p/q/r', '/pq', '/p?x'),
        (conditions, host, path) => {
          const rules = conditions.map((each, index) => rule(String(index), each));
          const specificity = (candidate: string | null): number =>
            candidate === null ? 0 : candidate.startsWith('*') ? candidate.length : 1000;
          const expected = rules
            .filter(
              (each) =>
                each.host === null ||
                each.host === host ||
                (each.host.startsWith('*.') && host.endsWith(each.host.slice(1))),
            )
            .filter((each) => each.path === null || matchesPrefix(path, each.path))
            .sort((one, other) => specificity(other.host) - specificity(one.host))[0];

          expect(new RouteTable(rules).match(head(host, path))?.name).to.equal(
            expected?.route.name,
          );
        },
      ),
    );
  });
});

describe('path prefix', () => {
  it('covers whole segments only', () => {
    expect(matchesPrefix('/pay', '/pay')).to.equal(true);
    expect(matchesPrefix('/pay/x', '/pay')).to.equal(true);
    expect(matchesPrefix('/pay?x', '/pay')).to.equal(true);
    expect(matchesPrefix('/pay/x', '/pay/')).to.equal(true);
    expect(matchesPrefix('/payments', '/pay')).to.equal(false);
    expect(matchesPrefix('/%70ay', '/pay')).to.equal(false);
    expect(matchesPrefix('*', '/')).to.equal(false);
  });
});

describe('host of an authority', () => {
  it('drops port and trailing dot and lowers ASCII letters only', () => {
    expect(hostOf('Shop.Example:80')).to.equal('shop.example');
    expect(hostOf('shop.')).to.equal('shop');
    expect(hostOf('[::1]:80')).to.equal('[::1]');
    expect(hostOf('[::1]')).to.equal('[::1]');
    expect(hostOf('10.0.0.1:8080')).to.equal('10.0.0.1');
    expect(hostOf('\u212aelvin')).to.equal('\u212aelvin');
  });
});
