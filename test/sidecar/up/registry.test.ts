import { request } from 'node:http';
import { expect } from 'chai';
import { DevelopmentRegistry } from '../../../sidecar/up/registry.ts';

interface Answer {
  readonly status: number;
  readonly index: number;
  readonly body: string;
}

describe('development registry', () => {
  let registry: DevelopmentRegistry;
  let port: number;

  beforeEach(async () => {
    registry = new DevelopmentRegistry();
    port = await registry.listen(0);
  });

  afterEach(() => registry.close());

  function send(method: string, path: string, body?: unknown): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        { host: '127.0.0.1', port, method, path, agent: false },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (piece: string) => {
            text += piece;
          });
          response.once('end', () => {
            const index = Number(response.headers['x-consul-index'] ?? -1);
            resolve({ status: response.statusCode ?? 0, index, body: text });
          });
        },
      );
      outgoing.once('error', reject);
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  function register(id: string, fields: object = {}): Promise<Answer> {
    return send('PUT', '/v1/agent/service/register?replace-existing-checks=true', {
      ID: id,
      Name: 'web',
      Address: '127.0.0.1',
      Port: 9001,
      Meta: { zone: 'zone-a' },
      Weights: { Passing: 10, Warning: 1 },
      Checks: [{ CheckID: `${id}-ttl`, Name: 'heartbeat', TTL: '15s', Status: 'passing' }],
      ...fields,
    });
  }

  interface HealthEntry {
    readonly Service: { readonly ID: string; readonly Meta: object; readonly Weights: object };
    readonly Checks: readonly { readonly CheckID: string; readonly Status: string }[];
  }

  async function health(query = ''): Promise<HealthEntry[]> {
    return JSON.parse((await send('GET', `/v1/health/service/web${query}`)).body) as HealthEntry[];
  }

  it('lists what was registered, with zone, weights and checks', async () => {
    await register('web-1');

    const [entry] = await health();

    expect(entry?.Service).to.include({ ID: 'web-1', Service: 'web', Port: 9001 });
    expect(entry?.Service.Meta).to.deep.equal({ zone: 'zone-a' });
    expect(entry?.Service.Weights).to.deep.equal({ Passing: 10, Warning: 1 });
    expect(entry?.Checks.map((it) => it.CheckID)).to.deep.equal(['serfHealth', 'web-1-ttl']);
  });

  it('answers 200 and an empty list for a service nobody registered', async () => {
    const answer = await send('GET', '/v1/health/service/nobody');

    expect(answer.status).to.equal(200);
    expect(answer.body).to.equal('[]');
    expect(answer.index).to.be.greaterThan(0);
  });

  it('holds a blocking query until its service changes, and not when another one does', async () => {
    await register('web-1');
    const { index } = await send('GET', '/v1/health/service/web');
    let answered = false;
    const blocked = send('GET', `/v1/health/service/web?index=${index}&wait=30s`).then((it) => {
      answered = true;
      return it;
    });

    await register('other-1', { Name: 'other' });
    await send('GET', '/v1/status/leader');
    const early = answered;
    await register('web-2', { Port: 9002 });
    const answer = await blocked;

    expect(early).to.equal(false);
    expect(answer.index).to.be.greaterThan(index);
    expect(JSON.parse(answer.body)).to.have.length(2);
  });

  it('answers a blocking query with the same index when the wait is over', async () => {
    await register('web-1');
    const { index } = await send('GET', '/v1/health/service/web');

    const answer = await send('GET', `/v1/health/service/web?index=${index}&wait=20ms`);

    expect(answer).to.include({ status: 200, index });
  });

  it('does not move the index when the same registration is repeated', async () => {
    await register('web-1');
    const { index } = await send('GET', '/v1/health/service/web');

    await register('web-1');

    expect((await send('GET', '/v1/health/service/web')).index).to.equal(index);
  });

  it('starts a check critical unless told otherwise, and passes it on a heartbeat', async () => {
    await register('web-1', { Checks: [{ CheckID: 'c', TTL: '15s' }] });
    const before = await health();
    await send('PUT', '/v1/agent/check/pass/c');

    const after = await health();

    expect(before[0]?.Checks[1]?.Status).to.equal('critical');
    expect(after[0]?.Checks[1]?.Status).to.equal('passing');
  });

  it('takes status and output from an update', async () => {
    await register('web-1');
    await send('PUT', '/v1/agent/check/update/web-1-ttl', { Status: 'warning', Output: 'busy' });

    const [entry] = await health();

    expect(entry?.Checks[1]).to.include({ Status: 'warning', Output: 'busy' });
  });

  it('turns a check critical when its heartbeat stays away, and wakes watchers', async () => {
    await register('web-1', { Checks: [{ CheckID: 'c', TTL: '50ms', Status: 'passing' }] });
    const { index } = await send('GET', '/v1/health/service/web');

    const answer = await send('GET', `/v1/health/service/web?index=${index}&wait=30s`);

    expect((JSON.parse(answer.body) as HealthEntry[])[0]?.Checks[1]?.Status).to.equal('critical');
  });

  it('tells a sidecar it does not know that its heartbeat is lost', async () => {
    const answer = await send('PUT', '/v1/agent/check/pass/web-1-ttl');

    expect(answer.status).to.equal(404);
    expect(answer.body).to.include('does not have associated TTL');
  });

  it('adds a critical check in maintenance and removes it afterwards', async () => {
    await register('web-1');
    await send('PUT', '/v1/agent/service/maintenance/web-1?enable=true&reason=drain');
    const during = await health();
    await send('PUT', '/v1/agent/service/maintenance/web-1?enable=false');
    const after = await health();

    expect(during[0]?.Checks.at(-1)).to.include({
      CheckID: '_service_maintenance:web-1',
      Status: 'critical',
      Output: 'drain',
    });
    expect(after[0]?.Checks).to.have.length(2);
  });

  it('ends maintenance with a registration that replaces the checks, and keeps it with others', async () => {
    const fields = { ID: 'web-1', Name: 'web', Port: 9009, Checks: [] };
    const checks = async () => (await health())[0]?.Checks.map((it) => it.CheckID);
    await register('web-1');
    await send('PUT', '/v1/agent/service/maintenance/web-1?enable=true');

    await send('PUT', '/v1/agent/service/register', fields);
    const kept = await checks();
    await send('PUT', '/v1/agent/service/register?replace-existing-checks=true', fields);
    const replaced = await checks();

    expect(kept).to.include('_service_maintenance:web-1');
    expect(replaced).to.deep.equal(['serfHealth']);
  });

  it('lists itself as the service consul, which proves to callers that they may read', async () => {
    const answer = await send('GET', '/v1/catalog/service/consul');

    expect(JSON.parse(answer.body)).to.have.nested.property('[0].ServiceID', 'consul');
  });

  it('forgets an instance that is deregistered, with a higher index', async () => {
    await register('web-1');
    const { index } = await send('GET', '/v1/health/service/web');
    const gone = await send('PUT', '/v1/agent/service/deregister/web-1');
    const again = await send('PUT', '/v1/agent/service/deregister/web-1');

    const answer = await send('GET', '/v1/health/service/web');

    expect([gone.status, again.status]).to.deep.equal([200, 404]);
    expect(answer.body).to.equal('[]');
    expect(answer.index).to.be.greaterThan(index);
  });

  it('filters by tag and by passing', async () => {
    await register('web-1', { Tags: ['v1'] });
    await register('web-2', { Tags: ['v2'], Checks: [{ CheckID: 'd', TTL: '15s' }] });

    const tagged = await health('?tag=v2');
    const passing = await health('?passing=1');

    expect(tagged.map((it) => it.Service.ID)).to.deep.equal(['web-2']);
    expect(passing.map((it) => it.Service.ID)).to.deep.equal(['web-1']);
  });

  it('lists services and their instances in the catalog', async () => {
    await register('web-1', { Tags: ['v1'] });

    const services = await send('GET', '/v1/catalog/services');
    const instances = await send('GET', '/v1/catalog/service/web');

    expect(JSON.parse(services.body)).to.deep.equal({ consul: [], web: ['v1'] });
    expect(JSON.parse(instances.body)).to.have.nested.property('[0].ServiceMeta.zone', 'zone-a');
  });

  it('refuses unknown fields, other checks and bodies that are no object', async () => {
    const unknown = await register('web-1', { Locality: {} });
    const check = await register('web-1', {
      Checks: [{ HTTP: 'http://127.0.0.1/', Interval: '1s' }],
    });
    const list = await send('PUT', '/v1/agent/service/register', []);

    expect(unknown).to.include({ status: 400 });
    expect(unknown.body).to.include('json: unknown field "Locality"');
    expect(check.body).to.include('TTL checks only');
    expect(list.status).to.equal(400);
  });

  it('says where it is the leader and what version it speaks', async () => {
    const leader = await send('GET', '/v1/status/leader');
    const self = await send('GET', '/v1/agent/self');

    expect(JSON.parse(leader.body)).to.be.a('string').that.is.not.empty;
    expect(JSON.parse(self.body)).to.have.nested.property('Config.Version').that.matches(/^1\./);
  });

  it('breaks waiting queries off when it stops', async () => {
    await register('web-1');
    const { index } = await send('GET', '/v1/health/service/web');
    const blocked = send('GET', `/v1/health/service/web?index=${index}&wait=30s`).then(
      () => 'answered',
      () => 'broken off',
    );
    await send('GET', '/v1/status/leader');

    await registry.close();

    expect(await blocked).to.equal('broken off');
  });
});
