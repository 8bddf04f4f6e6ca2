import { expect } from 'chai';
import { Downstream } from '../../support/http1-downstream.ts';
import { probes } from './probe-cases.ts';

function served(bytes: string, piecewise = false): Downstream {
  const downstream = new Downstream();
  downstream.autoAnswer = (exchange) => exchange.answer();
  if (piecewise) for (const byte of Buffer.from(bytes, 'latin1')) downstream.send(Buffer.of(byte));
  else downstream.send(bytes);
  return downstream;
}

describe('Http11Probe', () => {
  for (const { id, bytes, outcome } of probes) {
    it(`${id}: ${outcome}`, () => {
      const downstream = served(bytes);

      expect(downstream.statuses).to.deep.equal(outcome === 'waits' ? [] : [outcome]);
      expect(downstream.transport.ended).to.equal(
        typeof outcome === 'number' && (outcome >= 400 || /close|HTTP\/1\.0/.test(bytes)),
      );
    });
  }

  for (const { id, bytes, outcome } of probes.filter((probe) => probe.bytes.length < 10_000)) {
    it(`${id}: ${outcome}, byte by byte`, () => {
      const downstream = served(bytes, true);

      expect(downstream.statuses).to.deep.equal(outcome === 'waits' ? [] : [outcome]);
    });
  }

  it('SMUG-PIPELINE-SAFE: 200 twice', () => {
    const bytes = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

    const downstream = served(bytes + bytes);

    expect(downstream.statuses).to.deep.equal([200, 200]);
  });

  it('lets no forbidden trailer through', () => {
    for (const { bytes } of probes.filter(({ id }) => id.startsWith('SMUG-TRAILER-'))) {
      expect(served(bytes).last.trailers).to.equal(null);
    }
  });
});
