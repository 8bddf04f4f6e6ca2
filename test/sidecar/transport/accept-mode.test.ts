import { expect } from 'chai';
import { hookAccepts } from '../../../sidecar/transport/accept.ts';
import { acceptMode, testAccepts } from '../../../sidecar/transport/accept-mode.ts';

describe('accept self-test', () => {
  it('finds that accepted connections can read into the shared buffer on this Node', async () => {
    expect(await acceptMode()).to.deep.equal({ mode: 'shared', reason: null });
  });

  it('runs once', () => {
    expect(acceptMode()).to.equal(acceptMode());
  });

  it('falls back to data events when the hook is missing', async () => {
    expect(await testAccepts(() => false)).to.deep.equal({
      mode: 'events',
      reason: 'the listening handle has no onconnection',
    });
  });

  it('falls back when the hook throws', async () => {
    const { mode, reason } = await testAccepts((server, onIncoming, onError) =>
      hookAccepts(
        server,
        (incoming) =>
          onIncoming({
            ...incoming,
            socket: () => {
              throw new Error('no handle');
            },
          }),
        onError,
      ),
    );

    expect(mode).to.equal('events');
    expect(reason).to.match(/no handle/);
  });

  it('falls back when bytes arrive in another buffer', async () => {
    const other = Buffer.alloc(65_536);
    const { mode, reason } = await testAccepts((server, onIncoming, onError) =>
      hookAccepts(
        server,
        (incoming) =>
          onIncoming({
            ...incoming,
            socket: (onread) => incoming.socket(onread && { ...onread, buffer: other }),
          }),
        onError,
      ),
    );

    expect({ mode, reason }).to.deep.equal({
      mode: 'events',
      reason: 'bytes arrived in another buffer',
    });
  });

  it('falls back when a pause does not hold', async () => {
    const { mode, reason } = await testAccepts((server, onIncoming, onError) =>
      hookAccepts(
        server,
        (incoming) =>
          onIncoming({
            ...incoming,
            socket: (onread) =>
              incoming.socket(
                onread && {
                  ...onread,
                  callback: (length, memory) => onread.callback(length, memory) || true,
                },
              ),
          }),
        onError,
      ),
    );

    expect({ mode, reason }).to.deep.equal({
      mode: 'events',
      reason: 'bytes arrived while paused',
    });
  });
});
