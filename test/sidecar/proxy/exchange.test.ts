import { expect } from 'chai';
import { Failure } from '../../../sidecar/failure.ts';
import { HeaderList } from '../../../sidecar/message/headers.ts';
import type { RequestRecord } from '../../../telemetry/record.ts';
import { proxyMs } from '../../../telemetry/span-attributes.ts';
import { Pipeline } from '../../support/pipeline.ts';

const refused = (): Failure => new Failure('connection_refused');
const reset = (): Failure => new Failure('connection_reset');
const microtasks = (): Promise<void> => Promise.resolve();

describe('exchange', () => {
  it('carries a request to an endpoint and its response back', () => {
    const pipeline = new Pipeline();
    const { requester } = pipeline.request({ path: '/a?b=1', fields: [['accept', '*/*']] });
    const exchange = pipeline.open();
    exchange.respond(200, 'hello', [['content-type', 'text/plain']]);

    expect(exchange.head.path).to.equal('/a?b=1');
    expect(exchange.head.headers.get('accept')).to.equal('*/*');
    expect(exchange.ended).to.equal(true);
    expect(requester.status).to.equal(200);
    expect(requester.body).to.equal('hello');
    expect(requester.ends).to.equal(1);
    expect(pipeline.records).to.have.length(1);
    expect(pipeline.records[0]).to.include({ status: 200, code: null, bytesOut: 5, generation: 7 });
  });

  it('gives every request an id and echoes it', () => {
    const pipeline = new Pipeline();
    const fresh = pipeline.request();
    const first = pipeline.open();
    first.respond(200);
    const known = pipeline.request({ fields: [['X-Request-Id', 'mine']] });
    pipeline.open().respond(200);

    expect(first.head.headers.get('x-request-id')).to.match(/^01890000-/);
    expect(fresh.requester.field('x-request-id')).to.match(/^01890000-/);
    expect(known.requester.field('x-request-id')).to.equal('mine');
  });

  it('echoes the request id on answers of our own, and tells it to the codec for others', async () => {
    const pipeline = new Pipeline();
    const fields = [['X-Request-Id', 'mine']] as const;
    const { requester, responder } = pipeline.request({ path: '*', method: 'OPTIONS', fields });
    await microtasks();

    expect(requester.field('x-request-id')).to.equal('mine');
    expect(responder.requestId).to.equal('mine');
    expect(responder.traceId).to.equal(pipeline.records[0]?.trace.traceId);
  });

  it('records a request that nobody could read, with an id and without what is not known', () => {
    const pipeline = new Pipeline();
    const id = pipeline.refuse(new Failure('downstream_protocol_error', 'Host is missing'));

    expect(id).to.match(/^01890000-/);
    expect(pipeline.records).to.have.length(1);
    expect(pipeline.records[0]).to.include({
      method: '',
      authority: '',
      version: '',
      status: 400,
      code: 'downstream_protocol_error',
      detail: 'Host is missing',
      requestId: id,
    });
  });

  it('answers 404 where no route matches, after it has returned', async () => {
    const pipeline = new Pipeline();
    const { requester } = pipeline.request({ path: '*', method: 'OPTIONS' });
    expect(requester.heads).to.have.length(0);
    await microtasks();

    expect(requester.status).to.equal(404);
    expect(requester.field('outrigger-error')).to.equal('no_route');
    expect(JSON.parse(requester.body)).to.include({ code: 'no_route', status: 404 });
    expect(pipeline.records[0]).to.include({ code: 'no_route', flags: 'NR', service: '' });
  });

  it('notes what helps against a failure, with its evidence filled in', async () => {
    const pipeline = new Pipeline({ endpoints: 1 });
    pipeline.resolve([]);
    pipeline.request();
    await microtasks();

    expect(pipeline.records[0]?.code).to.equal('no_healthy_upstream');
    expect(pipeline.records[0]?.fix).to.match(/outrigger endpoints orders$/);
  });

  it('refuses requests above the limit and lets them in again afterwards', async () => {
    const pipeline = new Pipeline({ maxRequests: 1 });
    pipeline.request();
    const over = pipeline.request();
    await microtasks();
    expect(over.requester.field('outrigger-error')).to.equal('overflow');

    pipeline.open().respond(200);
    const next = pipeline.request();
    pipeline.open().respond(204);
    expect(next.requester.status).to.equal(204);
  });

  it('refuses a body over the limit by its length and by its bytes', async () => {
    const pipeline = new Pipeline({ route: { maxBodyBytes: 10 } });
    const declared = pipeline.request({ method: 'POST', contentLength: 11, ended: false });
    await microtasks();
    expect(declared.requester.status).to.equal(413);
    expect(pipeline.attempts).to.equal(0);

    const streamed = pipeline.request({ method: 'POST', ended: false });
    streamed.responder.data(Buffer.alloc(11));
    expect(streamed.requester.status).to.equal(413);
    expect(pipeline.open().aborted?.code).to.equal('body_too_large');
  });

  it('streams both bodies and hands back-pressure through', () => {
    const pipeline = new Pipeline({ route: { replayBytes: 0 } });
    const { requester, responder } = pipeline.request({ method: 'POST', ended: false });
    const exchange = pipeline.open();
    exchange.room = false;

    expect(responder.data(Buffer.from('ab'))).to.equal(false);
    exchange.room = true;
    exchange.requester.resume();
    expect(requester.resumed).to.equal(1);
    expect(responder.data(Buffer.from('c'))).to.equal(true);
    responder.end(null);
    expect(exchange.body).to.equal('abc');

    exchange.requester.head({
      status: 200,
      headers: exchange.head.headers.copy(),
      contentLength: null,
      ended: false,
    });
    requester.room = false;
    expect(exchange.requester.data(Buffer.from('x'))).to.equal(false);
    responder.resume();
    expect(exchange.resumed).to.equal(1);
  });

  it('passes interim heads on before the final one', () => {
    const pipeline = new Pipeline();
    const { requester } = pipeline.request();
    const exchange = pipeline.open();
    exchange.requester.head({
      status: 103,
      headers: exchange.head.headers.copy(),
      contentLength: null,
      ended: false,
    });
    exchange.respond(200);

    expect(requester.heads.map((head) => head.status)).to.deep.equal([103, 200]);
  });

  it('cancels the upstream when the caller leaves, and blames nobody', () => {
    const pipeline = new Pipeline();
    const { responder, requester } = pipeline.request();
    responder.abort(new Failure('downstream_closed'));

    expect(pipeline.open().aborted?.code).to.equal('downstream_closed');
    expect(requester.heads).to.have.length(0);
    expect(pipeline.records[0]).to.include({ status: 499, code: 'downstream_closed', flags: 'DC' });
    expect(pipeline.cluster.limits.active).to.equal(0);
  });

  it('breaks a response off that broke off upstream', () => {
    const pipeline = new Pipeline();
    const { requester } = pipeline.request();
    const exchange = pipeline.open();
    exchange.requester.head({
      status: 200,
      headers: exchange.head.headers.copy(),
      contentLength: 9,
      ended: false,
    });
    exchange.requester.data(Buffer.from('half'));
    exchange.fail(new Failure('response_truncated'));

    expect(requester.aborted?.code).to.equal('response_truncated');
    expect(requester.ends).to.equal(0);
    expect(pipeline.records[0]).to.include({ status: 200, code: 'response_truncated' });
    expect(pipeline.attempts).to.equal(1);
  });

  it('keeps a tunnel open until both directions have ended', () => {
    const pipeline = new Pipeline();
    const { requester, responder } = pipeline.request({ protocol: 'websocket', ended: false });
    const exchange = pipeline.open();
    exchange.requester.head({
      status: 101,
      headers: exchange.head.headers.copy(),
      contentLength: null,
      ended: false,
    });
    exchange.requester.data(Buffer.from('down'));
    exchange.requester.end(null);
    expect(pipeline.records).to.have.length(0);

    responder.data(Buffer.from('up'));
    responder.end(null);
    expect(exchange.body).to.equal('up');
    expect(requester.body).to.equal('down');
    expect(pipeline.records[0]).to.include({ status: 101, code: null });
  });

  describe('times', () => {
    /** A held request whose second attempt is answered; each head takes 2 ms to send and 3 ms to hand back. */
    function answeredLate(sampled: boolean): RequestRecord {
      const pipeline = new Pipeline({ unresolved: true, sampled });
      const { clock } = pipeline;
      for (const upstream of pipeline.upstreams) {
        const open = upstream.open.bind(upstream);
        upstream.open = (head, requester) => {
          clock.advance(2);
          return open(head, requester);
        };
      }
      const { requester } = pipeline.request();
      requester.head = () => clock.advance(3);
      clock.advance(1000);
      pipeline.resolve();
      pipeline.open().fail(refused());
      clock.advance(500);
      const second = pipeline.open();
      clock.advance(40);
      second.respond(200, 'hello');
      return pipeline.records[0] as RequestRecord;
    }

    it('tell our own share from waiting, for the registry, between attempts and for an answer', () => {
      expect(proxyMs(answeredLate(true))).to.equal(2 + 2 + 3);
    });

    it('leave our own share unmeasured where nobody will ask', () => {
      expect(proxyMs(answeredLate(false))).to.equal(null);
    });

    it('never show an attempt that took longer than the request', () => {
      const { startMs, endMs, attempts } = answeredLate(true);

      for (const attempt of attempts) {
        expect(attempt.endMs - attempt.startMs).to.be.within(1, endMs - startMs);
      }
    });
  });

  describe('retries', () => {
    it('sends a refused request of any method to another endpoint', () => {
      const pipeline = new Pipeline();
      const { requester, responder } = pipeline.request({ method: 'POST', ended: false });
      const first = pipeline.open();
      responder.data(Buffer.from('body'));
      responder.end(null);
      first.fail(refused());
      pipeline.clock.advance(300);
      const second = pipeline.open();
      second.respond(201);

      expect(second.body).to.equal('body');
      expect(second.ended).to.equal(true);
      expect(second.head.headers.get('outrigger-attempt')).to.equal('2');
      expect(pipeline.sent).to.have.length(2);
      expect(requester.status).to.equal(201);
      const [record] = pipeline.records;
      expect(record?.attempts.map((attempt) => attempt.code)).to.deep.equal([
        'connection_refused',
        null,
      ]);
      expect(record?.attempts[1]?.retryReason).to.equal('connection_refused');
      expect(record?.flags).to.equal('');
    });

    it('does not repeat a POST that the application may have seen', () => {
      const pipeline = new Pipeline();
      const { requester } = pipeline.request({ method: 'POST' });
      pipeline.open().fail(reset());

      expect(requester.status).to.equal(502);
      expect(requester.field('outrigger-error')).to.equal('connection_reset');
      expect(pipeline.records[0]?.attempts[0]?.retryDenied).to.equal('not_idempotent');
    });

    it('repeats a POST with an idempotency key', () => {
      const pipeline = new Pipeline();
      const { requester } = pipeline.request({
        method: 'POST',
        fields: [['Idempotency-Key', 'k']],
      });
      pipeline.open().fail(reset());
      pipeline.clock.advance(300);
      pipeline.open().respond(200);

      expect(requester.status).to.equal(200);
    });

    it('repeats a POST that a mesh peer did not hand to its application, and believes nobody else', () => {
      const answer = [['outrigger-error', 'app_unreachable']] as const;
      const mesh = new Pipeline({ meta: new Map([['outrigger', 'h1']]) });
      const repeated = mesh.request({ method: 'POST' });
      mesh.open().respond(503, 'no', answer);
      mesh.clock.advance(300);
      mesh.open().respond(200);
      expect(repeated.requester.status).to.equal(200);

      const plain = new Pipeline();
      const { requester } = plain.request({ method: 'POST' });
      plain.open().respond(503, 'no', answer);
      expect(requester.status).to.equal(503);
    });

    it('repeats a GET after 503 and drops the first response', () => {
      const pipeline = new Pipeline();
      const { requester } = pipeline.request();
      const first = pipeline.open();
      first.respond(503, 'busy');
      pipeline.clock.advance(300);
      pipeline.open().respond(200, 'fine');

      expect(first.aborted).to.equal(null);
      expect(requester.heads.map((head) => head.status)).to.deep.equal([200]);
      expect(requester.body).to.equal('fine');
    });

    it('does not wait for the end of a dropped response longer than for its own', () => {
      const pipeline = new Pipeline();
      const { requester } = pipeline.request();
      const first = pipeline.open();
      first.requester.head({
        status: 503,
        headers: HeaderList.of(),
        contentLength: 5,
        ended: false,
      });
      pipeline.clock.advance(25);
      const before = first.aborted;
      pipeline.open().respond(200);

      expect(requester.status).to.equal(200);
      expect([before, first.aborted?.code]).to.deep.equal([null, 'downstream_closed']);
    });

    it('passes the last answer on when its attempts are used up', () => {
      const pipeline = new Pipeline();
      const { requester } = pipeline.request();
      for (let attempt = 0; attempt < 3; attempt++) {
        pipeline.open().respond(503, `no ${attempt}`);
        pipeline.clock.advance(300);
      }

      expect(requester.status).to.equal(503);
      expect(requester.body).to.equal('no 2');
      expect(requester.field('outrigger-error')).to.equal(null);
      expect(pipeline.records[0]?.attempts.at(-1)?.retryDenied).to.equal('attempts');
      expect(pipeline.records[0]?.flags).to.equal('URX');
    });

    it('stops when the budget is empty', () => {
      const pipeline = new Pipeline({ retries: { initialTokens: 0 } });
      const { requester } = pipeline.request();
      pipeline.open().respond(503);

      expect(requester.status).to.equal(503);
      expect(pipeline.records[0]?.attempts[0]?.retryDenied).to.equal('budget');
    });

    it('gives up a body that has outgrown its copy', () => {
      const pipeline = new Pipeline({ route: { replayBytes: 4 } });
      const { requester, responder } = pipeline.request({ method: 'PUT', ended: false });
      responder.data(Buffer.from('12345'));
      pipeline.open().fail(refused());

      expect(requester.status).to.equal(503);
      expect(pipeline.records[0]?.attempts[0]?.retryDenied).to.equal('body_too_large');
    });

    it('collects a body that arrives between two attempts', () => {
      const pipeline = new Pipeline();
      const { responder, requester } = pipeline.request({ method: 'PUT', ended: false });
      responder.data(Buffer.from('one '));
      pipeline.open().fail(refused());
      expect(responder.data(Buffer.from('two'))).to.equal(true);
      responder.end(null);
      pipeline.clock.advance(300);
      const second = pipeline.open();

      expect(second.body).to.equal('one two');
      expect(second.ended).to.equal(true);
      second.respond(200);
      expect(requester.status).to.equal(200);
    });

    it('leaves retries to a caller that is retrying itself', () => {
      const pipeline = new Pipeline();
      const { requester } = pipeline.request({ fields: [['outrigger-attempt', '2']] });
      pipeline.open().respond(503);

      expect(requester.status).to.equal(503);
      expect(pipeline.records[0]?.attempts[0]?.retryDenied).to.equal('nested');
    });
  });

  describe('time', () => {
    it('holds early requests until the registry has answered', () => {
      const pipeline = new Pipeline({ unresolved: true });
      const { requester, responder } = pipeline.request({ method: 'POST', ended: false });
      responder.data(Buffer.from('early'));
      expect(pipeline.attempts).to.equal(0);

      pipeline.clock.advance(1000);
      pipeline.resolve();
      const exchange = pipeline.open();
      exchange.respond(200);
      expect(exchange.body).to.equal('early');
      expect(requester.status).to.equal(200);
      expect(pipeline.records[0]?.queueMs).to.equal(1000);
    });

    it('says so when the registry does not answer in time', () => {
      const pipeline = new Pipeline({ unresolved: true });
      const { requester } = pipeline.request();
      pipeline.clock.advance(5000);

      expect(requester.field('outrigger-error')).to.equal('discovery_pending');
    });

    it('tells a service nobody ever registered from one without a usable instance', async () => {
      const pipeline = new Pipeline({ unresolved: true });
      pipeline.resolve([]);
      const { requester } = pipeline.request();
      await microtasks();

      expect(requester.field('outrigger-error')).to.equal('unknown_service');

      const emptied = new Pipeline();
      emptied.resolve([]);
      const later = emptied.request();
      await microtasks();
      expect(later.requester.field('outrigger-error')).to.equal('no_healthy_upstream');
    });

    it('tries elsewhere when one attempt takes too long', () => {
      const pipeline = new Pipeline({ route: { perTryTimeoutMs: 100 } });
      const { requester } = pipeline.request();
      const first = pipeline.open();
      pipeline.clock.advance(100);
      expect(first.aborted?.code).to.equal('per_try_timeout');
      pipeline.clock.advance(50);
      pipeline.open().respond(200);

      expect(requester.status).to.equal(200);
    });

    it('ends a request whose total time is over, also between attempts', () => {
      const pipeline = new Pipeline({ route: { timeoutMs: 500 } });
      const { requester } = pipeline.request();
      const exchange = pipeline.open();
      pipeline.clock.advance(500);

      expect(requester.status).to.equal(504);
      expect(requester.field('outrigger-error')).to.equal('request_timeout');
      expect(exchange.aborted?.code).to.equal('request_timeout');
    });

    it('hands what is left of the deadline to the callee and keeps to it', () => {
      const pipeline = new Pipeline({ direction: 'inbound' });
      const { requester } = pipeline.request({ fields: [['outrigger-timeout-ms', '250']] });
      const exchange = pipeline.open();
      expect(exchange.head.headers.get('outrigger-timeout-ms')).to.equal('250');
      pipeline.clock.advance(250);

      expect(requester.field('outrigger-error')).to.equal('deadline_exceeded');
    });

    it('ends an exchange in which nothing moves', () => {
      const pipeline = new Pipeline({ idleTimeoutMs: 1000 });
      const { requester } = pipeline.request();
      const exchange = pipeline.open();
      exchange.requester.head({
        status: 200,
        headers: exchange.head.headers.copy(),
        contentLength: null,
        ended: false,
      });
      for (let piece = 0; piece < 5; piece++) {
        pipeline.clock.advance(400);
        exchange.requester.data(Buffer.from('.'));
      }
      expect(requester.aborted).to.equal(null);
      pipeline.clock.advance(1500);

      expect(requester.aborted?.code).to.equal('stream_idle_timeout');
    });

    it('lets an event stream outlive the total time', () => {
      const pipeline = new Pipeline({ route: { timeoutMs: 500 } });
      const { requester } = pipeline.request();
      const exchange = pipeline.open();
      const headers = exchange.head.headers.copy();
      headers.set('content-type', 'text/event-stream');
      exchange.requester.head({ status: 200, headers, contentLength: null, ended: false });
      pipeline.clock.advance(5000);

      expect(requester.aborted).to.equal(null);
      expect(requester.body).to.equal('');
    });

    it('leaves no timer behind', () => {
      const pipeline = new Pipeline({ route: { timeoutMs: 500, perTryTimeoutMs: 100 } });
      const before = pipeline.clock.pending;
      pipeline.request();
      pipeline.open().respond(200);
      // One look at the silence of the route, which finds nobody.
      expect(pipeline.clock.pending).to.equal(before + 1);
      pipeline.clock.advance(60_000);

      expect(pipeline.clock.pending).to.equal(before);
    });
  });

  describe('fields', () => {
    it('does not believe deadlines and attempts of strangers where that is configured', () => {
      const pipeline = new Pipeline({ direction: 'inbound', trustPlaintext: false });
      pipeline.request({
        fields: [
          ['outrigger-timeout-ms', '250'],
          ['outrigger-attempt', '2'],
        ],
      });
      const { headers } = pipeline.open().head;

      expect(headers.get('outrigger-timeout-ms')).to.equal(null);
      expect(headers.get('outrigger-attempt')).to.equal(null);
    });

    it('does not believe an application about load', () => {
      const pipeline = new Pipeline();
      const { requester } = pipeline.request({ fields: [['outrigger-load-max', '3']] });
      const exchange = pipeline.open();
      expect(exchange.head.headers.get('outrigger-load-max')).to.equal(null);
      exchange.respond(200, '', [['outrigger-load', 'r=1']]);

      expect(requester.field('outrigger-load')).to.equal(null);
    });

    it('notes the caller and drops claimed identities on the way in', () => {
      const pipeline = new Pipeline({ direction: 'inbound' });
      pipeline.request({
        fields: [
          ['X-Forwarded-For', '1.2.3.4'],
          ['X-Forwarded-Client-Cert', 'Hash=1'],
        ],
      });
      const { headers } = pipeline.open().head;
      const seen: string[] = [];
      headers.forEach((name, value) => {
        if (name.toLowerCase() === 'x-forwarded-for') seen.push(value);
      });

      expect(seen).to.deep.equal(['1.2.3.4', '10.0.0.9']);
      expect(headers.get('x-forwarded-client-cert')).to.equal(null);
    });

    it('does not let an application speak for its sidecar', () => {
      const pipeline = new Pipeline({ direction: 'inbound' });
      const { requester } = pipeline.request();
      pipeline.open().respond(503, '', [['outrigger-error', 'draining']]);

      expect(requester.field('outrigger-error')).to.equal(null);
    });
  });
});
