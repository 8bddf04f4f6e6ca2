import { expect } from 'chai';
import type { PropagatorName } from '../../telemetry/options.ts';
import { TracePropagation } from '../../telemetry/propagation.ts';
import { RandomIds } from '../../telemetry/random-ids.ts';
import { ConstantSampler } from '../../telemetry/sampler.ts';
import { traceFormats } from '../../telemetry/trace-formats.ts';
import { FieldCarrier } from '../support/field-carrier.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const OWN = 'aaaaaaaaaaaaaaaa';
const SAMPLED = `00-${TRACE}-${PARENT}-01`;
const UNSAMPLED = `00-${TRACE}-${PARENT}-00`;

type Fields = readonly (readonly [name: string, value: string])[];

function propagation(
  options: {
    formats?: readonly PropagatorName[];
    root?: boolean;
    parentBased?: boolean;
    disabled?: boolean;
  } = {},
): TracePropagation {
  // Random digits that count up, so that ids are known and never zero.
  let next = 1;
  const ids = new RandomIds((bytes) => {
    for (let at = 0; at < bytes.length; at++) bytes[at] = next++ & 0xff || 1;
  });
  return new TracePropagation(ids, {
    formats: traceFormats(
      options.formats ?? ['tracecontext', 'baggage'],
      options.parentBased ?? true,
    ),
    sampler: new ConstantSampler(options.root ?? false),
    parentBased: options.parentBased ?? true,
    disabled: options.disabled ?? false,
  });
}

/** Receives, decides and sends on with span id `OWN`; what the next hop sees. */
function pass(fields: Fields, by: TracePropagation): { carrier: FieldCarrier; sampled: boolean } {
  const carrier = new FieldCarrier(fields);
  const trace = by.begin(carrier, false);
  by.inject(trace, OWN, carrier);
  return { carrier, sampled: trace.sampled };
}

describe('trace propagation', () => {
  describe('of W3C trace context', () => {
    const untouched: Record<string, Fields> = {
      'an unsampled parent': [['traceparent', UNSAMPLED]],
      'odd case of the name and a future version': [
        ['TraceParent', `cc-${TRACE}-${PARENT}-00-what-the-future-brings`],
        ['Tracestate', 'rojo=1,,congo=2 '],
      ],
      'a malformed tracestate beside an unsampled parent': [
        ['traceparent', UNSAMPLED],
        ['tracestate', '!!'],
      ],
      'baggage in several lines': [
        ['baggage', 'a=1'],
        ['traceparent', UNSAMPLED],
        ['Baggage', ' b=2;p'],
      ],
    };
    for (const [what, fields] of Object.entries(untouched)) {
      it(`passes ${what} on byte for byte`, () => {
        const { carrier, sampled } = pass(fields, propagation());

        expect(sampled).to.equal(false);
        expect(carrier.fields).to.deep.equal(fields);
      });
    }

    it('continues a sampled trace with its own span id', () => {
      const { carrier } = pass(
        [
          ['traceparent', SAMPLED],
          ['tracestate', 'rojo=1,congo=2'],
        ],
        propagation(),
      );

      expect(carrier.get('traceparent')).to.equal(`00-${TRACE}-${OWN}-01`);
      expect(carrier.get('tracestate')).to.equal('rojo=1,congo=2');
    });

    it('keeps the random flag of a trace it continues', () => {
      const { carrier } = pass([['traceparent', `00-${TRACE}-${PARENT}-03`]], propagation());

      expect(carrier.get('traceparent')).to.equal(`00-${TRACE}-${OWN}-03`);
    });

    it('answers a future version with version 00', () => {
      const { carrier } = pass([['traceparent', `01-${TRACE}-${PARENT}-09-x`]], propagation());

      expect(carrier.get('traceparent')).to.equal(`00-${TRACE}-${OWN}-01`);
    });

    it('drops a malformed tracestate alone', () => {
      const { carrier, sampled } = pass(
        [
          ['traceparent', SAMPLED],
          ['tracestate', 'UPPER=1'],
        ],
        propagation(),
      );

      expect(sampled).to.equal(true);
      expect(carrier.get('traceparent')).to.equal(`00-${TRACE}-${OWN}-01`);
      expect(carrier.get('tracestate')).to.equal(null);
    });

    it('joins several tracestate lines for the span and leaves them alone on the wire', () => {
      const carrier = new FieldCarrier([
        ['traceparent', SAMPLED],
        ['tracestate', 'a=1'],
        ['TraceState', 'b=2'],
      ]);
      const by = propagation();
      const trace = by.begin(carrier, false);
      by.inject(trace, OWN, carrier);

      expect(trace.traceState).to.equal('a=1,b=2');
      expect(carrier.fields.slice(0, 2)).to.deep.equal([
        ['tracestate', 'a=1'],
        ['TraceState', 'b=2'],
      ]);
    });

    const invalid: Record<string, Fields> = {
      'upper case': [['traceparent', SAMPLED.toUpperCase()]],
      'version ff': [['traceparent', `ff${SAMPLED.slice(2)}`]],
      'a zero trace id': [['traceparent', `00-${'0'.repeat(32)}-${PARENT}-01`]],
      'a zero parent id': [['traceparent', `00-${TRACE}-${'0'.repeat(16)}-01`]],
      'one character too many for version 00': [['traceparent', `${SAMPLED}-`]],
      'one character too few': [['traceparent', SAMPLED.slice(0, -1)]],
      'a future version without a dash': [['traceparent', `01${SAMPLED.slice(2)}x`]],
      'odd flags': [['traceparent', `00-${TRACE}-${PARENT}-0g`]],
      'a duplicate field': [
        ['traceparent', SAMPLED],
        ['Traceparent', SAMPLED],
      ],
      'a duplicate in one line': [['traceparent', `${SAMPLED}, ${SAMPLED}`]],
      'a thousand characters': [['traceparent', 'a'.repeat(1000)]],
      nothing: [['traceparent', '']],
    };
    for (const [what, fields] of Object.entries(invalid)) {
      it(`begins a new trace and drops tracestate after ${what}`, () => {
        const { carrier, sampled } = pass([...fields, ['tracestate', 'a=1']], propagation());

        expect(sampled).to.equal(false);
        expect(carrier.get('traceparent')).to.match(/^00-[0-9a-f]{32}-aaaaaaaaaaaaaaaa-00$/);
        expect(carrier.get('traceparent')).not.to.contain(TRACE);
        expect(carrier.get('tracestate')).to.equal(null);
        expect(
          carrier.fields.filter(([name]) => name.toLowerCase() === 'traceparent'),
        ).to.have.length(1);
      });
    }

    it('tells the whole trace that an unsampled root is not sampled', () => {
      const { carrier } = pass([], propagation());

      expect(carrier.get('traceparent')).to.match(/^00-[0-9a-f]{32}-aaaaaaaaaaaaaaaa-00$/);
    });

    it('draws a span id itself where it is given none', () => {
      const by = propagation();
      const carrier = new FieldCarrier();
      by.inject(by.begin(carrier, false), '', carrier);

      expect(carrier.get('traceparent')).to.match(/^00-[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00$/);
    });
  });

  describe('of several formats', () => {
    const MULTI: Fields = [
      ['X-B3-TraceId', TRACE],
      ['X-B3-SpanId', PARENT],
      ['X-B3-ParentSpanId', '05e3ac9a4f6e3b90'],
      ['X-B3-Sampled', '1'],
    ];
    const cases: {
      what: string;
      formats: readonly PropagatorName[];
      fields: Fields;
      sent: Record<string, string>;
      gone?: readonly string[];
    }[] = [
      {
        what: 'B3 single',
        formats: ['b3'],
        fields: [['b3', `${TRACE}-${PARENT}-1-05e3ac9a4f6e3b90`]],
        sent: { b3: `${TRACE}-${OWN}-1` },
      },
      {
        what: 'B3 multi read as single',
        formats: ['b3'],
        fields: MULTI,
        sent: { b3: `${TRACE}-${OWN}-1` },
        gone: ['x-b3-traceid', 'x-b3-spanid', 'x-b3-parentspanid', 'x-b3-sampled'],
      },
      {
        what: 'B3 multi, never with a parent span id',
        formats: ['b3multi'],
        fields: MULTI,
        sent: { 'x-b3-traceid': TRACE, 'x-b3-spanid': OWN, 'x-b3-sampled': '1' },
        gone: ['x-b3-parentspanid', 'b3'],
      },
      {
        what: 'B3 with a 64-bit trace id in upper case',
        formats: ['b3'],
        fields: [['b3', `A3CE929D0E0E4736-${PARENT}-1`]],
        sent: { b3: `0000000000000000a3ce929d0e0e4736-${OWN}-1` },
      },
      {
        what: 'B3 debug',
        formats: ['b3', 'b3multi'],
        fields: [['b3', `${TRACE}-${PARENT}-d`]],
        sent: { 'x-b3-traceid': TRACE },
      },
      {
        what: 'Jaeger with short ids and escaped colons',
        formats: ['jaeger'],
        fields: [['uber-trace-id', 'abc123%3A1f%3A0%3A1']],
        sent: { 'uber-trace-id': `${'abc123'.padStart(32, '0')}:${OWN}:0:1` },
      },
      {
        what: 'X-Ray with members of others',
        formats: ['xray'],
        fields: [
          [
            'X-Amzn-Trace-Id',
            'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:1',
          ],
        ],
        sent: {
          'x-amzn-trace-id': `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=${OWN};Sampled=1;Lineage=a:1`,
        },
      },
      {
        what: 'W3C over B3, both sent again',
        formats: ['b3', 'tracecontext'],
        fields: [
          ['traceparent', SAMPLED],
          ['b3', `${'1'.repeat(32)}-${'2'.repeat(16)}-0`],
        ],
        sent: { traceparent: `00-${TRACE}-${OWN}-01`, b3: `${TRACE}-${OWN}-1` },
      },
      {
        what: 'B3 alone where W3C is preferred',
        formats: ['tracecontext', 'b3'],
        fields: [['b3', `${TRACE}-${PARENT}-1`]],
        sent: { traceparent: `00-${TRACE}-${OWN}-01`, b3: `${TRACE}-${OWN}-1` },
      },
    ];
    for (const { what, formats, fields, sent, gone } of cases) {
      it(`continues ${what}`, () => {
        const { carrier, sampled } = pass(fields, propagation({ formats }));

        expect(sampled).to.equal(true);
        for (const [name, value] of Object.entries(sent)) {
          expect(carrier.get(name), name).to.equal(value);
        }
        for (const name of gone ?? []) expect(carrier.get(name), name).to.equal(null);
      });
    }

    const unsampled: Record<string, { formats: readonly PropagatorName[]; fields: Fields }> = {
      'B3 single': { formats: ['b3'], fields: [['B3', `${TRACE}-${PARENT}-0`]] },
      'B3 multi': {
        formats: ['b3'],
        fields: [
          ['X-B3-TraceId', TRACE],
          ['X-B3-SpanId', PARENT],
          ['X-B3-Sampled', '0'],
        ],
      },
      Jaeger: { formats: ['jaeger'], fields: [['uber-trace-id', `${TRACE}:${PARENT}:0:0`]] },
      'X-Ray': {
        formats: ['xray'],
        fields: [
          [
            'x-amzn-trace-id',
            'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0',
          ],
        ],
      },
      'fields of formats that are not configured': {
        formats: ['none'],
        fields: [
          ['traceparent', SAMPLED],
          ['b3', '0'],
        ],
      },
    };
    for (const [what, { formats, fields }] of Object.entries(unsampled)) {
      it(`passes ${what} of an unsampled request on byte for byte`, () => {
        const { carrier } = pass(fields, propagation({ formats }));

        expect(carrier.fields).to.deep.equal(fields);
      });
    }

    it('decides itself where B3 leaves the decision open, and says so', () => {
      const open: Fields = [['b3', `${TRACE}-${PARENT}`]];

      expect(pass(open, propagation({ formats: ['b3'] })).carrier.get('b3')).to.equal(
        `${TRACE}-${OWN}-0`,
      );
      expect(pass(open, propagation({ formats: ['b3'], root: true })).carrier.get('b3')).to.equal(
        `${TRACE}-${OWN}-1`,
      );
    });

    it('follows a B3 decision that names no trace', () => {
      const by = propagation({ formats: ['b3'], root: true });
      const trace = by.begin(new FieldCarrier([['b3', '0']]), false);

      expect(trace.sampled).to.equal(false);
      expect(trace.reason).to.equal(null);
    });

    for (const value of [
      '',
      'x',
      `${TRACE}`,
      `${TRACE}-${PARENT}-2`,
      `${TRACE}-zz-1`,
      '-'.repeat(400),
    ]) {
      it(`takes the B3 value ${JSON.stringify(value.slice(0, 40))} for none`, () => {
        const trace = propagation({ formats: ['b3'] }).begin(
          new FieldCarrier([['b3', value]]),
          false,
        );

        expect(trace.parentSpanId).to.equal('');
        expect(trace.traceId).not.to.equal(TRACE);
      });
    }
  });

  describe('decision', () => {
    it('follows a sampled parent whatever the ratio', () => {
      const trace = propagation().begin(new FieldCarrier([['traceparent', SAMPLED]]), true);

      expect(trace).to.include({
        sampled: true,
        traceId: TRACE,
        parentSpanId: PARENT,
        reason: null,
      });
      expect(trace.spanId).to.match(/^[0-9a-f]{16}$/);
    });

    it('says for a root why it was sampled', () => {
      const trace = propagation({ root: true }).begin(new FieldCarrier(), false);

      expect(trace).to.include({ sampled: true, parentSpanId: '', reason: 'always_on' });
    });

    it('begins no trace for a probe', () => {
      const trace = propagation({ root: true }).begin(new FieldCarrier(), true);

      expect(trace).to.include({ sampled: false, reason: null });
    });

    it('withdraws the flag where the sampler does not follow parents', () => {
      const { carrier } = pass([['traceparent', SAMPLED]], propagation({ parentBased: false }));

      expect(carrier.get('traceparent')).to.equal(`00-${TRACE}-${OWN}-00`);
    });

    it('keeps the trace state where the sampler takes up an unsampled trace', () => {
      const { carrier } = pass(
        [
          ['traceparent', UNSAMPLED],
          ['tracestate', 'a=1'],
        ],
        propagation({ parentBased: false, root: true }),
      );

      expect(carrier.get('traceparent')).to.equal(`00-${TRACE}-${OWN}-01`);
      expect(carrier.get('tracestate')).to.equal('a=1');
    });

    it('begins a trace of its own at a trust edge, linked to the one received', () => {
      const by = propagation();
      const carrier = new FieldCarrier([
        ['traceparent', SAMPLED],
        ['tracestate', 'a=1'],
      ]);
      const trace = by.begin(carrier, false, false);
      by.inject(trace, OWN, carrier);

      expect(trace.traceId).not.to.equal(TRACE);
      expect(trace.parentSpanId).to.equal('');
      expect(trace.link).to.deep.equal({ traceId: TRACE, spanId: PARENT });
      expect(carrier.get('traceparent')).to.equal(`00-${trace.traceId}-${OWN}-00`);
      expect(carrier.get('tracestate')).to.equal(null);
    });

    it('passes everything untouched while signals are off', () => {
      const by = propagation({ disabled: true, root: true });

      const fields: Fields = [['traceparent', SAMPLED]];
      expect(pass(fields, by)).to.deep.include({ sampled: false });
      expect(pass(fields, by).carrier.fields).to.deep.equal(fields);
      expect(pass([], by).carrier.fields).to.deep.equal([]);
    });
  });
});
