import { expect } from 'chai';
import { maskSecrets } from '../../../sidecar/config/mask.ts';
import { resolveConfig } from '../../../sidecar/config/resolve.ts';
import { configSchema } from '../../../sidecar/config/schema.ts';

describe('shown configuration', () => {
  it('hides every secret that is set, and nothing else', () => {
    const config = resolveConfig(
      configSchema.parse({
        service: { name: 'a', meta: { team: 'x' } },
        consul: { token: 'top-secret', tokenFile: '/run/token' },
        trace: { otlp: { headers: { authorization: 'Bearer top-secret' } } },
        upstreams: [{ service: 'b', resolver: 'static', endpoints: ['h:1'] }],
      }),
    );

    const shown = maskSecrets(config);

    expect(JSON.stringify(shown)).to.not.contain('top-secret');
    expect(shown).to.deep.equal({
      ...config,
      consul: { ...config.consul, token: '***' },
      trace: {
        ...config.trace,
        otlp: { ...config.trace.otlp, headers: { authorization: '***' } },
      },
    });
  });

  it('shows that no secret is set', () => {
    const config = resolveConfig(configSchema.parse({ service: { name: 'a' } }));

    expect(maskSecrets(config)).to.deep.equal(config);
  });
});
