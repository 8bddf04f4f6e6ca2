import { expect } from 'chai';
import { isLocalAddress, LoopUpstream } from '../../../sidecar/upstream/loop.ts';
import { Pipeline } from '../../support/pipeline.ts';
import { RecordingRequester } from '../../support/recording-requester.ts';

describe('an endpoint that is a port of this sidecar', () => {
  it('fails every exchange with its name, after open has returned', async () => {
    const requester = new RecordingRequester();
    const pipeline = new Pipeline();
    pipeline.request();
    new LoopUpstream('127.0.0.1', 15080, 'forward-proxy').open(pipeline.open().head, requester);
    expect(requester.aborted).to.equal(null);
    await Promise.resolve();

    expect(requester.aborted?.code).to.equal('loop_detected');
    expect(requester.aborted?.status).to.equal(508);
    expect(requester.aborted?.detail).to.equal(
      '127.0.0.1:15080 is the port forward-proxy of this sidecar',
    );
  });

  it('is told by an address of this machine', () => {
    for (const address of ['127.0.0.1', '127.8.9.10', '::1', 'localhost', '0.0.0.0']) {
      expect(isLocalAddress(address), address).to.equal(true);
    }
    for (const address of ['192.0.2.1', '2001:db8::1', 'example']) {
      expect(isLocalAddress(address), address).to.equal(false);
    }
  });
});
