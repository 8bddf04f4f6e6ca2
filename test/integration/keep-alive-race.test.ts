import { Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import { expect } from 'chai';
import { App } from '../support/app.ts';
import { type Answer, call } from '../support/call.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { StaticCaller } from '../support/static-caller.ts';

const CLIENTS = 16;

describe('an upstream that closes idle connections', function () {
  this.timeout(15_000);
  let app: App;
  let caller: StaticCaller;
  let agent: Agent;
  /** How often the application was handed each `x-id`. */
  let seen: Map<string, number>;

  beforeEach(() => {
    agent = new Agent({ keepAlive: true, maxSockets: 256 });
    seen = new Map();
  });

  afterEach(async () => {
    agent.destroy();
    await caller?.dispose();
    await app?.stop();
  });

  async function start(answer: (request: IncomingMessage, response: ServerResponse) => void) {
    app = await App.start('orders-1', (request, response) => {
      const id = String(request.headers['x-id']);
      seen.set(id, (seen.get(id) ?? 0) + 1);
      request.resume();
      request.on('end', () => answer(request, response));
    });
    caller = await StaticCaller.start([app.port]);
  }

  it('at random costs none of 2,000 GETs', async () => {
    const { random } = chance(3);
    await start((_, response) => {
      const { socket } = response;
      response.end('ok');
      // Within the time in which the next request comes, before or after it.
      if (random() < 0.2) setTimeout(() => socket?.destroy(), random() * 3);
    });
    const failed: string[] = [];
    await inParallel(CLIENTS, async (client) => {
      for (let round = 0; round < 2000 / CLIENTS; round++) {
        const headers = { 'x-id': `${client}-${round}` };
        const answer = await call(caller.port, { agent, headers });
        if (answer.status !== 200) failed.push(`${answer.status} ${answer.code}`);
      }
    });

    expect(failed).to.deep.equal([]);
    expect(seen.size).to.equal(2000);
    await caller.quiet();
  });

  it('just as the next request leaves runs no POST twice and fails no GET', async () => {
    const { random } = chance(4);
    const idleMs = 300;
    await start((_, response) => {
      const { socket } = response;
      response.end('ok');
      if (socket === null) return;
      const timer = setTimeout(() => socket.end(), idleMs);
      socket.once('data', () => clearTimeout(timer));
    });
    const answers: { method: string; answer: Answer }[] = [];
    await inParallel(60, async (client) => {
      for (let round = 0; round < 5; round++) {
        const method = random() < 0.5 ? 'GET' : 'POST';
        const headers = { 'x-id': `${method}-${client}-${round}` };
        const answer = await call(caller.port, { agent, method, headers });
        answers.push({ method, answer });
        // The moment itself is what is tested: a request 10 % before to 10 % after the close.
        await new Promise((resolve) => setTimeout(resolve, idleMs * (0.9 + 0.2 * random())));
      }
    });
    const bad = answers.filter(({ answer }) => answer.status !== 200);

    expect(bad.filter(({ method }) => method === 'GET')).to.deep.equal([]);
    for (const { answer } of bad) expect(answer.code).to.equal('keepalive_race');
    expect(twice()).to.deep.equal([]);
  });

  it('with a reset at any point of the exchange is sent no POST twice in 1,000', async () => {
    const { random } = chance(5);
    const what = (id: string): number => Number(id.split('-')[1]);
    app = await App.start('orders-1', (request, response) => {
      const id = String(request.headers['x-id']);
      seen.set(id, (seen.get(id) ?? 0) + 1);
      const reset = () => void request.socket.resetAndDestroy();
      const when = what(id);
      if (when === 0) {
        reset();
        return;
      }
      request.once('data', () => {
        if (when === 1) reset();
      });
      request.resume();
      request.on('end', () => {
        if (when === 2) reset();
        else if (when === 3) {
          response.write('half of', () => reset());
        } else if (when === 4) {
          response.end('ok', () => void setImmediate(reset));
        } else response.end('ok');
      });
    });
    caller = await StaticCaller.start([app.port], { outliers: { consecutiveLocalOrigin: 0 } });
    let whole = 0;
    let refused = 0;
    let broken = 0;
    await inParallel(CLIENTS, async (client) => {
      for (let round = 0; round < 1000 / CLIENTS; round++) {
        const headers = { 'x-id': `p-${Math.floor(random() * 8)}-${client}-${round}` };
        try {
          const body = 'x'.repeat(Math.floor(random() * 20_000) + 1);
          const answer = await call(caller.port, { agent, method: 'POST', headers, body });
          if (answer.status === 200) {
            expect(answer.body).to.equal('ok');
            whole++;
          } else {
            expect(answer.status).to.equal(502);
            expect(answer.code).to.be.oneOf(['connection_reset', 'keepalive_race']);
            refused++;
          }
        } catch {
          broken++;
        }
      }
    });

    expect(twice()).to.deep.equal([]);
    expect(whole).to.be.greaterThan(300);
    expect(refused).to.be.greaterThan(200);
    expect(broken).to.be.greaterThan(50);
    await caller.quiet();
  });

  function twice(): string[] {
    return [...seen].filter(([id, times]) => times > 1 && !id.startsWith('GET')).map(([id]) => id);
  }
});

/** Seeded, so that a run that fails fails again. */
function chance(seed: number): { random: () => number } {
  const clock = new FakeClock({ seed });
  return { random: () => clock.random() };
}

async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => work(index)));
}
