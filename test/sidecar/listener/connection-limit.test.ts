import { expect } from 'chai';
import {
  ConnectionLimit,
  defaultMaxConnections,
} from '../../../sidecar/listener/connection-limit.ts';

describe('connection limit', () => {
  it('lets in as many as it says and again after one has left', () => {
    const limit = new ConnectionLimit(2);

    expect([limit.tryEnter(), limit.tryEnter(), limit.tryEnter()]).to.deep.equal([
      true,
      true,
      false,
    ]);
    limit.leave();
    expect(limit.tryEnter()).to.equal(true);
    expect(limit.open).to.equal(2);
  });

  it('is by default half of the descriptors behind a reserve of 64', () => {
    const limits =
      'Limit                     Soft Limit           Hard Limit           Units     \n' +
      'Max processes             63704                63704                processes \n' +
      'Max open files            1024                 524288               files     \n';

    expect(defaultMaxConnections(limits)).to.equal(480);
  });

  it('assumes 1,024 descriptors where the system does not say', () => {
    expect(defaultMaxConnections('')).to.equal(480);
  });

  it('is at least one', () => {
    expect(defaultMaxConnections('Max open files 32 32 files')).to.equal(1);
  });
});
