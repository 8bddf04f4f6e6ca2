import { resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { goEnvironment } from './jaeger.mjs';

const tools = resolve(fileURLToPath(new URL('../../.tools', import.meta.url))) + sep;

describe('building Jaeger', () => {
  it("leaves nothing in the user's Go caches", () => {
    const variables = goEnvironment();

    for (const name of ['GOPATH', 'GOMODCACHE', 'GOCACHE']) {
      expect(variables[name], name).to.satisfy((path: string) => path.startsWith(tools));
    }
    expect(variables['GOFLAGS']).to.contain('-modcacherw');
  });
});
