import type { Route } from './schema.ts';

type Condition = Route['headers'][number];

/**
 * For every route that can never be reached the earlier one that takes all its requests; indexes.
 * Routes of different hosts never hide each other: the more specific host is asked first and hands on.
 */
export function shadowedRoutes(routes: readonly Route[]): Map<number, number> {
  const shadowed = new Map<number, number>();
  const earlier = new Map<string, number[]>();
  routes.forEach((route, index) => {
    const host = route.host ?? '';
    const same = earlier.get(host) ?? [];
    const winner = same.find((candidate) => {
      const other = routes[candidate];
      return other !== undefined && covers(other, route);
    });
    if (winner !== undefined) shadowed.set(index, winner);
    same.push(index);
    earlier.set(host, same);
  });
  return shadowed;
}

/** Every request that matches `later` matches `earlier`. */
function covers(earlier: Route, later: Route): boolean {
  return (
    pathCovers(earlier.path, later.path) &&
    earlier.headers.every((condition) => later.headers.some((other) => implies(other, condition)))
  );
}

function pathCovers(earlier: string | null, later: string | null): boolean {
  if (earlier === null || earlier === '/') return true;
  if (later === null || !later.startsWith(earlier)) return false;
  return later.length === earlier.length || earlier.endsWith('/') || later[earlier.length] === '/';
}

/** Whoever fulfils `known` fulfils `wanted`. Names are lower case. */
function implies(known: Condition, wanted: Condition): boolean {
  if (known.name !== wanted.name) return false;
  if (wanted.present === true) return true;
  if (wanted.exact !== undefined) return known.exact === wanted.exact;
  const start = wanted.prefix ?? '';
  return known.exact?.startsWith(start) ?? known.prefix?.startsWith(start) ?? false;
}
