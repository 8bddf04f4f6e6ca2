import { expect } from 'chai';
import { commandVariables } from '../../../sidecar/cli/run.ts';
import { WrappedCommand } from '../../../sidecar/cli/wrapped-command.ts';
import { resolveConfig } from '../../../sidecar/config/resolve.ts';
import { configSchema } from '../../../sidecar/config/schema.ts';

function node(script: string, variables: Record<string, string> = {}): WrappedCommand {
  return new WrappedCommand([process.execPath, '-e', script], variables);
}

describe('wrapped command', () => {
  it('ends with the code of the command', async () => {
    const command = node('process.exit(7)');

    command.start();

    expect(await command.ended).to.equal(7);
  });

  it('finds its variables beside ours', async () => {
    const command = node('process.exit(process.env.SECRET === "x" && process.env.PATH ? 0 : 1)', {
      SECRET: 'x',
    });

    command.start();

    expect(await command.ended).to.equal(0);
  });

  it('gets signals, and ends with 128 and the signal it died of', async () => {
    const command = node('setInterval(() => {}, 1000)');
    command.start();

    command.signal('SIGTERM');

    expect(await command.ended).to.equal(143);
  });

  it('counts as ended when a signal comes before it was started', async () => {
    const command = node('');

    command.signal('SIGINT');

    expect(await command.ended).to.equal(130);
  });

  it('ends as in a shell when there is no such command', async () => {
    const absent = new WrappedCommand(['/nonexistent/command'], {});
    const folder = new WrappedCommand(['/'], {});

    absent.start();
    folder.start();

    expect(await absent.ended).to.equal(127);
    expect(await folder.ended).to.equal(126);
  });
});

describe('variables of a wrapped command', () => {
  const config = resolveConfig(
    configSchema.parse({
      service: { name: 'a' },
      upstreams: [
        { service: 'orders', port: 9101 },
        { service: 'stock.dc2', port: 9102, host: '::' },
        { service: 'far' },
      ],
    }),
  );

  it('name where each upstream with a port listens', () => {
    expect(commandVariables(config, false)).to.deep.equal({
      OUTRIGGER_UPSTREAM_ORDERS: '127.0.0.1:9101',
      OUTRIGGER_UPSTREAM_STOCK_DC2: '[::1]:9102',
    });
  });

  it('hold the forward proxy only when asked for', () => {
    expect(commandVariables(config, true)).to.include({
      HTTP_PROXY: 'http://127.0.0.1:15080',
      http_proxy: 'http://127.0.0.1:15080',
    });
  });
});
