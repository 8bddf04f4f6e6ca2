import { expect } from 'chai';
import { freePorts } from '../../sidecar/up/ports.ts';
import { App } from '../support/app.ts';
import { call } from '../support/call.ts';
import { FakeConsul } from '../support/fake-consul.ts';
import { SidecarProcess } from '../support/sidecar-process.ts';

describe('services that are called without being declared', function () {
  this.timeout(15_000);
  let consul: FakeConsul;
  let app: App;
  let stock: App;
  let sidecar: SidecarProcess;
  let inbound: number;
  let proxy: number;

  before(async () => {
    consul = await FakeConsul.start();
    app = await App.start('app');
    stock = await App.start('stock-1');
    consul.set('stock', [{ id: 'stock-1', port: stock.port }]);
    [inbound, proxy] = (await freePorts(2)) as [number, number];
    sidecar = await SidecarProcess.start({
      service: { name: 'orders', address: '127.0.0.1' },
      inbound: { host: '127.0.0.1', port: inbound, appPort: app.port },
      consul: { address: consul.address },
      drain: { delayMs: 0 },
      forwardProxy: { enabled: true, port: proxy },
      routes: [{ host: 'warehouse.test', service: 'stock' }],
    });
  });

  after(async () => {
    await sidecar.dispose();
    await app.stop();
    await stock.stop();
    await consul.down();
  });

  const to = (host: string) => call(proxy, { headers: { host } });

  it('are found by their name and by rules', async () => {
    expect((await to('stock')).headers['x-instance']).to.equal('stock-1');
    expect((await to('warehouse.test')).headers['x-instance']).to.equal('stock-1');
  });

  it('are no way to the local application, whatever the host', async () => {
    expect((await to('inbound')).code).to.equal('no_route');
    expect((await call(inbound)).headers['x-instance']).to.equal('app');
  });

  it('fail with a code when nobody ever registered them', async () => {
    expect((await to('nobody')).code).to.equal('unknown_service');
  });
});
