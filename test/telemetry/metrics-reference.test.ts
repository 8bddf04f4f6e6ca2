import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { type FamilySpec, families } from '../../telemetry/families.ts';
import { prometheusName } from '../../telemetry/prometheus-name.ts';

const reference = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
const rows = reference.split('\n').filter((line) => line.startsWith('| `'));

/** Every line of the program but those that define the families. */
const program = ['sidecar', 'discovery', 'telemetry']
  .flatMap((layer) => {
    const folder = new URL(`../../${layer}/`, import.meta.url);
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && file !== 'families.ts')
      .map((file) => readFileSync(new URL(file, folder), 'utf8'));
  })
  .join('');

describe('metrics reference', () => {
  for (const name of Object.keys(families)) {
    it(`lists ${name}, which something updates`, () => {
      expect(program).to.contain(`'${name}'`);
    });
  }

  for (const [name, spec] of Object.entries<FamilySpec>(families)) {
    const shown = prometheusName(name, spec);
    it(`lists ${shown} with its type and labels`, () => {
      const row = rows.find((line) => line.split('|')[1]?.includes(`\`${shown}\``));
      const [, , type, labels] = row?.split('|').map((cell) => cell.trim()) ?? [];

      const expected = spec.type === 'upDownCounter' ? 'gauge' : spec.type;
      expect(type, shown).to.equal(expected);
      for (const label of spec.labels)
        expect(labels).to.contain(`\`${label.replaceAll('.', '_')}\``);
    });
  }

  it('lists nothing that does not exist', () => {
    const known = new Set(
      Object.entries<FamilySpec>(families).map(([name, spec]) => prometheusName(name, spec)),
    );
    const listed = rows.flatMap((line) =>
      [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] as string),
    );

    expect(listed.filter((name) => !known.has(name))).to.deep.equal([]);
  });

  it('stays within forty families', () => {
    expect(Object.keys(families).length).to.be.at.most(40);
  });
});
