import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { configReference } from '../../../sidecar/config/reference.ts';

describe('docs/config.md', () => {
  const page = readFileSync(new URL('../../../docs/config.md', import.meta.url), 'utf8');

  it('is current; `node --import tsx sidecar/main.ts schema --markdown > docs/config.md` makes it so', () => {
    expect(page.trimEnd()).to.equal(configReference().trimEnd());
  });

  it('names key, variable, bounds and default', () => {
    expect(page).to.contain(
      '| `inbound.port`<br>`OUTRIGGER_INBOUND_PORT` | a whole number 1–65535 | `21000` |',
    );
    expect(page).to.contain('| `upstreams.service` |');
    expect(page).to.contain('| `routes.headers[].name` |');
  });
});
