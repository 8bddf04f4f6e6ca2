import { http1 } from './http1.ts';
import type { Suite } from './suite.ts';

/** What `npm run bench -- NAME` knows. */
export const suites: ReadonlyMap<string, Suite> = new Map([['http1', http1]]);
