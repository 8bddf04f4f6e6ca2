import { expect } from 'chai';
import fc from 'fast-check';
import { shadowedRoutes } from '../../../sidecar/config/route-shadow.ts';
import type { Route } from '../../../sidecar/config/schema.ts';

function route(conditions: Partial<Route>): Route {
  return {
    name: 'r',
    host: null,
    path: null,
    headers: [],
    service: 's',
    timeoutMs: null,
    perTryTimeoutMs: null,
    idleTimeoutMs: null,
    maxBodyBytes: null,
    template: null,
    untraced: false,
    ...conditions,
  };
}

const hidden = (...routes: Partial<Route>[]) => [...shadowedRoutes(routes.map(route))];

describe('shadowed routes', () => {
  it('are those whose path an earlier one covers, by whole segments', () => {
    expect(hidden({ path: '/a' }, { path: '/a/b' })).to.deep.equal([[1, 0]]);
    expect(hidden({ path: '/a' }, { path: '/ab' })).to.deep.equal([]);
    expect(hidden({ path: '/a/' }, { path: '/a/b' })).to.deep.equal([[1, 0]]);
    expect(hidden({ path: '/a/b' }, { path: '/a' })).to.deep.equal([]);
    expect(hidden({}, { path: '/a' })).to.deep.equal([[1, 0]]);
    expect(hidden({ path: '/a' }, {})).to.deep.equal([]);
  });

  it('are only looked for within one host', () => {
    expect(hidden({ host: '*.example' }, { host: 'a.example' })).to.deep.equal([]);
    expect(hidden({}, { host: 'a.example' })).to.deep.equal([]);
    expect(hidden({ host: 'a.example' }, { host: 'a.example', path: '/x' })).to.deep.equal([
      [1, 0],
    ]);
  });

  it('are those whose header conditions imply those of an earlier one', () => {
    const present = { name: 'x', present: true as const };
    const exact = { name: 'x', exact: 'abc' };
    const prefix = { name: 'x', prefix: 'ab' };

    expect(hidden({ headers: [present] }, { headers: [exact] })).to.deep.equal([[1, 0]]);
    expect(hidden({ headers: [prefix] }, { headers: [exact] })).to.deep.equal([[1, 0]]);
    expect(hidden({ headers: [exact] }, { headers: [prefix] })).to.deep.equal([]);
    expect(hidden({ headers: [exact] }, { headers: [present] })).to.deep.equal([]);
    expect(hidden({ headers: [present] }, {})).to.deep.equal([]);
    expect(
      hidden({ headers: [present] }, { headers: [exact, { name: 'y', exact: 'z' }] }),
    ).to.deep.equal([[1, 0]]);
  });

  it('never match a request that an earlier route leaves', () => {
    const paths = fc.constantFrom(null, '/', '/a', '/a/', '/a/b', '/ab');
    const headers = fc.subarray([
      { name: 'x', present: true as const },
      { name: 'x', exact: 'aa' },
      { name: 'x', prefix: 'a' },
    ]);
    const routes = fc.array(fc.record({ path: paths, headers }), { minLength: 2, maxLength: 5 });
    const requests = ['/', '/a', '/a/', '/a/b', '/ab', '/c'].flatMap((path) =>
      [null, 'aa', 'ab', 'b'].map((x) => ({ path, x })),
    );

    fc.assert(
      fc.property(routes, (list) => {
        const full = list.map(route);
        for (const [index, winner] of shadowedRoutes(full)) {
          for (const request of requests) {
            const [later, earlier] = [full[index], full[winner]];
            if (later !== undefined && matches(later, request)) {
              expect(earlier !== undefined && matches(earlier, request)).to.equal(true);
            }
          }
        }
      }),
    );
  });
});

/** The rule of the route table, written down a second time. */
function matches({ path, headers }: Route, request: { path: string; x: string | null }): boolean {
  const inPath =
    path === null ||
    request.path === path ||
    request.path.startsWith(path.endsWith('/') ? path : `${path}/`);
  return (
    inPath &&
    headers.every(({ exact, prefix, present }) => {
      if (request.x === null) return false;
      if (present === true) return true;
      return exact === undefined ? request.x.startsWith(prefix ?? '') : request.x === exact;
    })
  );
}
