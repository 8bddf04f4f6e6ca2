import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { config } from '../../../sidecar/cli/config.ts';
import { drain } from '../../../sidecar/cli/drain.ts';
import { endpoints } from '../../../sidecar/cli/endpoints.ts';
import { traces } from '../../../sidecar/cli/traces.ts';
import { clusterView, FakeSource, spanView } from '../admin/source.ts';
import { FakeConsole, withAdmin } from './console.ts';

describe('commands that ask a running sidecar', () => {
  let source: FakeSource;
  let table: FakeConsole;
  let lines: FakeConsole;
  beforeEach(() => {
    source = new FakeSource();
    table = new FakeConsole(true);
    lines = new FakeConsole(false);
  });

  it('show endpoints as an aligned table, with what the table cannot say', async () => {
    await withAdmin(source, async (admin) => {
      expect(await endpoints(undefined, admin, table)).to.equal(0);
    });

    expect(table.written).to.deep.equal([
      'SERVICE  ENDPOINT       ZONE  WEIGHT  STATE        ACTIVE  ATTEMPTS  FAILED  EJECTIONS  KEEP-ALIVE',
      'orders   10.0.0.4:8080  eu-a       1  ejected 5 s       2        11       1          1     5000 ms',
      'orders: panic, too few are usable and health is ignored',
      'orders: removals held back, the index went backwards',
      'orders: the list is from disk and not confirmed yet',
    ]);
  });

  it('show endpoints as one JSON object per line elsewhere', async () => {
    source.clusters_ = [clusterView('orders'), clusterView('stock')];

    await withAdmin(source, async (admin) => {
      expect(await endpoints('stock', admin, lines)).to.equal(0);
    });

    expect(lines.json).to.have.length(1);
    expect(lines.json[0]).to.include({ service: 'stock', address: '10.0.0.4', state: 'ejected' });
  });

  it('fail when there is no such service', async () => {
    await withAdmin(source, async (admin) => {
      expect(await endpoints('stcok', admin, table)).to.equal(1);
    });

    expect(table.errors).to.deep.equal(['no cluster of that name']);
  });

  it('let no name from the registry write on the terminal', async () => {
    source.clusters_ = [clusterView('evil\u001b[2J\u0007\nname')];

    await withAdmin(source, async (admin) => {
      await endpoints(undefined, admin, table);
    });

    // oxlint-disable-next-line no-control-regex -- they must not be there
    expect(table.written.join('|')).to.not.match(/[\u0000-\u001f]/);
  });

  it('show what the configuration says, with the source of each value', async () => {
    source.rejected = ['outrigger.yaml:3: retires: unknown key'];

    await withAdmin(source, async (admin) => {
      expect(await config(false, admin, table)).to.equal(0);
      expect(await config(true, admin, lines)).to.equal(0);
    });

    expect(table.written).to.deep.equal([
      'generation 3 from /etc/outrigger.yaml, 2026-11-22T10:00:00.000Z',
      'service.name = "shop"  (/etc/outrigger.yaml:1)',
      'upstreams[0].port = 9101  (env:OUTRIGGER_UPSTREAMS)',
      'the last file was rejected:',
      '  outrigger.yaml:3: retires: unknown key',
    ]);
    expect(lines.json).to.deep.equal([source.config()]);
  });

  it('show traces as trees', async () => {
    const [root, child] = ['1'.repeat(16), '2'.repeat(16)];
    source.spans = [
      spanView({
        spanId: child,
        parentSpanId: root,
        kind: 'CLIENT',
        name: 'GET',
        startMs: 1001,
        durationMs: 9,
      }),
      spanView({ spanId: root, name: 'GET /cart' }),
      spanView({ traceId: 'b'.repeat(32), startMs: 500 }),
    ];

    await withAdmin(source, async (admin) => {
      expect(await traces({}, admin, table)).to.equal(0);
      expect(await traces({ trace: 'a'.repeat(32) }, admin, lines)).to.equal(0);
    });

    expect(table.written[0]).to.match(/^trace b{32}/);
    expect(table.written[2]).to.match(/^trace a{32} +12\.5 ms +2 spans$/);
    expect(table.written[3]).to.match(/^└─ shop server GET \/cart +\+0\.0 +12\.5 ms$/);
    expect(table.written[4]).to.match(/^ {3}└─ shop client GET +\+1\.0 +9\.0 ms$/);
    expect(lines.json).to.have.length(1);
  });

  it('say when no trace is kept', async () => {
    await withAdmin(source, async (admin) => {
      expect(await traces({}, admin, table)).to.equal(0);
      expect(await traces({ trace: 'c'.repeat(32) }, admin, table)).to.equal(1);
      expect(await traces({ limit: 'many' }, admin, table)).to.equal(2);
    });

    expect(table.errors[0]).to.contain('no trace is kept');
  });

  it('tell the sidecar to drain', async () => {
    await withAdmin(source, async (admin) => {
      expect(await drain(admin, table)).to.equal(0);
    });

    expect(source.calls).to.deep.equal(['drain']);
  });

  describe('when there is no sidecar', () => {
    it('end with 3 and say how to name another one', async () => {
      expect(await endpoints(undefined, 'http://127.0.0.1:1', table)).to.equal(3);
      expect(table.errors).to.deep.equal([
        'sidecar not reachable at http://127.0.0.1:1: ECONNREFUSED (another one: --admin, OUTRIGGER_ADMIN)',
      ]);
    });

    it('end with 3 for an address that is none', async () => {
      for (const admin of ['::', 'ftp://127.0.0.1', 'https://127.0.0.1:1']) {
        expect(await drain(admin, table)).to.equal(3);
      }
    });

    it('end with 3 when something else answers', async () => {
      const other = createServer((_request, response) => response.end('<html>'));
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const { port } = other.address() as AddressInfo;

      expect(await drain(`127.0.0.1:${port}`, table)).to.equal(3);

      expect(table.errors[0]).to.contain('what answers there is not a sidecar');
      await new Promise((resolve) => other.close(resolve));
    });
  });
});
