import { expect } from 'chai';
import { parseFault } from '../../../sidecar/up/faults.ts';

const instances = ['shop-1', 'shop-2', 'cart-1'];

describe('fault of the local mesh', () => {
  it('means the first instance when a service is named', () => {
    expect(parseFault('kill:shop', instances)).to.deep.equal({ kind: 'kill', target: 'shop-1' });
  });

  it('takes the instance that is named', () => {
    expect(parseFault('slow:shop-2', instances)).to.deep.equal({ kind: 'slow', target: 'shop-2' });
  });

  it('can be the registry', () => {
    expect(parseFault('registry', instances)).to.deep.equal({ kind: 'registry' });
  });

  for (const spec of ['', 'kill', 'kill:', 'kick:shop', 'kill:shop:1']) {
    it(`is refused as ${JSON.stringify(spec)}, with what was expected`, () => {
      expect(parseFault(spec, instances)).to.include(
        'expected kill:<target>, slow:<target>, fail:<target>',
      );
    });
  }

  it('is refused for an unknown target, with those there are', () => {
    expect(parseFault('kill:bank', instances)).to.include('there are shop-1, shop-2, cart-1');
  });
});
