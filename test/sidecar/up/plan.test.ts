import { expect } from 'chai';
import { type MeshPlan, planMesh, portsNeeded } from '../../../sidecar/up/plan.ts';
import { edge, instanceIds, topology } from '../../../sidecar/up/topology.ts';

describe('plan of the local mesh', () => {
  const ports = Array.from({ length: portsNeeded(topology, edge) }, (_, i) => 22_000 + i);
  const plan = planMesh(topology, edge, ports, '/mesh');

  it('gives every port to exactly one purpose and uses all of them', () => {
    expect(allPorts(plan).sort((a, b) => a - b)).to.deep.equal(ports);
  });

  it('gives each instance an upstream port for every service it calls', () => {
    const shop = plan.instances.find((it) => it.id === 'shop-2');

    expect(shop?.upstreams.map((it) => it.service)).to.deep.equal(['cart', 'catalog']);
  });

  it('spreads every service over two zones, with two or three instances', () => {
    for (const { name } of topology) {
      const own = plan.instances.filter((it) => it.service === name);
      expect(own.length, name).to.be.within(2, 3);
      expect(new Set(own.map((it) => it.zone)).size, name).to.equal(2);
    }
  });

  it('names the instances as the command line does', () => {
    expect(plan.instances.map((it) => it.id)).to.deep.equal(instanceIds(topology));
  });

  it('orders the calls as a request makes them, with their depth', () => {
    const calls = plan.calls.map((it) => `${it.depth} ${it.caller} ${it.callee}`);

    expect(calls).to.deep.equal(['0 edge shop', '1 shop cart', '2 cart stock', '1 shop catalog']);
  });

  it('refuses to plan with too few ports', () => {
    expect(() => planMesh(topology, edge, ports.slice(1), '/mesh')).to.throw(RangeError, /ports/);
  });
});

function allPorts(plan: MeshPlan): number[] {
  const own = [plan.edge, ...plan.instances].flatMap((it) => [
    it.adminPort,
    ...it.upstreams.map((upstream) => upstream.port),
    ...(it.app === null ? [] : [it.app.port, it.app.inboundPort]),
  ]);
  return [...plan.registryPorts, ...own];
}
