import { expect } from 'chai';
import { planReload } from '../../../sidecar/config/diff.ts';
import { resolveConfig } from '../../../sidecar/config/resolve.ts';
import { type Config, configSchema } from '../../../sidecar/config/schema.ts';

const config = (input: object): Config =>
  resolveConfig(configSchema.parse({ service: { name: 'a' }, ...input }));

describe('reload plan', () => {
  it('finds nothing between equal configurations', () => {
    const plan = planReload(
      config({ limits: { maxRequests: 5 } }),
      config({ limits: { maxRequests: 5 } }),
    );

    expect(plan.changed).to.deep.equal([]);
    expect(plan.restart).to.deep.equal([]);
  });

  it('names what changed, upstreams by name, whatever their order', () => {
    const before = config({ upstreams: [{ service: 'b' }, { service: 'c', timeoutMs: 1 }] });
    const after = config({ upstreams: [{ service: 'c', timeoutMs: 2 }, { service: 'b' }] });

    expect(planReload(before, after).changed).to.deep.equal(['upstreams[c].timeoutMs']);
  });

  it('takes over upstreams, routes, policies and their ports at run time', () => {
    const after = config({
      upstreams: [{ service: 'b', port: 9101 }],
      routes: [{ service: 'b' }],
      retries: { max: 0 },
      forwardProxy: { port: 15_081 },
    });

    const plan = planReload(config({}), after);

    expect(plan.restart).to.deep.equal([]);
    expect(plan.config).to.deep.equal(after);
  });

  it('keeps the running values of what needs a restart, and says so', () => {
    const before = config({ inbound: { appPort: 80 } });
    const after = config({
      service: { name: 'b' },
      inbound: { appPort: 80, port: 22_000, timeoutMs: 9 },
      admin: { port: 15_001 },
      consul: { register: false },
    });

    const plan = planReload(before, after);

    expect(plan.restart).to.deep.equal([
      'admin.port',
      'consul.register',
      'inbound.port',
      'service.name',
    ]);
    expect(plan.changed).to.include('inbound.timeoutMs');
    expect(plan.config.inbound).to.include({ port: 21_000, timeoutMs: 9 });
    expect(plan.config.service.name).to.equal('a');
    expect(plan.config.admin.port).to.equal(15_000);
  });
});
