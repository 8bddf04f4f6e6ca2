import { expect } from 'chai';
import { explainError } from '../../../sidecar/cli/explain.ts';
import { catalogue } from '../../../sidecar/failure-catalogue.ts';
import { FakeConsole } from './console.ts';

describe('outrigger explain error', () => {
  it('explains every code of the catalogue with cause and fix', () => {
    for (const [code, entry] of Object.entries(catalogue)) {
      const console = new FakeConsole(true);

      expect(explainError(code, console)).to.equal(0);

      expect(console.written[0]).to.equal(`${code}  ${entry.title}`);
      expect(console.written.join('\n')).to.contain(entry.cause).and.to.contain(entry.fix);
    }
  });

  it("finds codes by Envoy's flag", () => {
    const console = new FakeConsole(false);

    expect(explainError('UH', console)).to.equal(0);

    const codes = console.json.map((entry) => (entry as { code: string }).code);
    expect(codes).to.deep.equal(['no_healthy_upstream', 'subset_empty']);
  });

  it('says which codes this release does not produce', () => {
    const console = new FakeConsole(true);

    explainError('rate_limited', console);
    explainError('overflow', console);
    explainError(undefined, console);

    const noted = console.written.filter((line) => line.endsWith('not produced by this release'));
    expect(noted).to.have.length(1);
    const listed = console.written.filter((line) =>
      /^(rate_limited|overflow) .*[a-z)]$/.test(line),
    );
    expect(listed.map((line) => line.endsWith('(reserved)'))).to.include.members([true, false]);
  });

  it('suggests the nearest code and ends with 2', () => {
    const console = new FakeConsole(true);

    expect(explainError('no_rout', console)).to.equal(2);

    expect(console.errors).to.deep.equal(['unknown code "no_rout" (did you mean `no_route`?)']);
  });

  it('lists all codes without one', () => {
    const console = new FakeConsole(true);

    expect(explainError(undefined, console)).to.equal(0);

    expect(console.written).to.have.length(Object.keys(catalogue).length + 1);
  });
});
