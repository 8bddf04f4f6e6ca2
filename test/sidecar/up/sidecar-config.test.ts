import { expect } from 'chai';
import { configSchema } from '../../../sidecar/config/schema.ts';
import { sidecarConfig } from '../../../sidecar/up/sidecar-config.ts';
import { smallPlan } from './samples.ts';

describe('configuration of the local mesh', () => {
  for (const it_ of [smallPlan.edge, ...smallPlan.instances]) {
    it(`is valid for ${it_.id}`, () => {
      const parsed = configSchema.safeParse(sidecarConfig(smallPlan, it_, null));

      expect(parsed.error?.issues ?? []).to.deep.equal([]);
    });
  }

  it('gives the edge no inbound listener, so that it registers nothing', () => {
    const config = configSchema.parse(sidecarConfig(smallPlan, smallPlan.edge, null));

    expect(config.inbound.appPort).to.equal(null);
  });

  it('traces every request, into memory alone unless there is a collector', () => {
    const alone = configSchema.parse(sidecarConfig(smallPlan, smallPlan.edge, null));
    const collected = configSchema.parse(
      sidecarConfig(smallPlan, smallPlan.edge, 'http://127.0.0.1:4318/v1/traces'),
    );

    expect(alone.trace).to.include({ ratio: 1, exporter: 'none' });
    expect(collected.trace.exporter).to.equal('otlp');
    expect(collected.trace.otlp.endpoint).to.equal('http://127.0.0.1:4318/v1/traces');
  });

  it('keeps every listener on loopback', () => {
    for (const planned of smallPlan.instances) {
      const config = configSchema.parse(sidecarConfig(smallPlan, planned, null));
      expect(config.inbound.host).to.equal('127.0.0.1');
      expect(config.upstreams.map((it) => it.host)).to.satisfy((hosts: string[]) =>
        hosts.every((host) => host === '127.0.0.1'),
      );
    }
  });
});
