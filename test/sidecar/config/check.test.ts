import { expect } from 'chai';
import { Folder, lines, loadedOf, loadText } from './folder.ts';

describe('keys that contradict each other', () => {
  let folder: Folder;
  before(async () => {
    folder = await Folder.create();
  });
  after(() => folder.remove());

  const mistakes = async (text: string): Promise<string[]> =>
    lines(await loadText(folder, `service: { name: a }\n${text}`), folder).map((line) =>
      line.replaceAll('outrigger.yaml:', ''),
    );

  for (const [what, text, expected] of [
    [
      'two listeners on one port',
      'upstreams:\n  - { service: b, port: 9101 }\n  - { service: c, port: 9101 }',
      '4: upstreams[1].port: expected a port of its own, got 9101, which belongs to upstream b (3)',
    ],
    [
      'an upstream on the port of the admin API',
      'upstreams: [{ service: b, port: 15000 }]',
      '2: upstreams[0].port: expected a port of its own, got 15000, which belongs to the admin API (by default)',
    ],
    [
      'a listener on every address beside one on loopback',
      'inbound: { appPort: 80, port: 15080 }',
      '1: forwardProxy.port: expected a port of its own, got 15080, which belongs to inbound (2)',
    ],
    [
      'an application port that is our own',
      'inbound: { appPort: 21000 }',
      '2: inbound.appPort: expected the port of the application, got 21000, which belongs to inbound (by default)',
    ],
    [
      'two upstreams with one name',
      'upstreams:\n  - { service: b }\n  - { service: c, name: B }',
      '4: upstreams[1].name: expected a name of its own, got "B", which is taken (3)',
    ],
    [
      'a route to the local application',
      'routes: [{ service: inbound }]',
      '2: routes[0].service: expected the name of an upstream, got "inbound"',
    ],
    [
      'static without endpoints',
      'upstreams: [{ service: b, resolver: static }]',
      '2: upstreams[0].endpoints: expected at least one endpoint for `resolver: static`, got none',
    ],
    [
      'endpoints without static',
      'upstreams: [{ service: b, endpoints: ["h:1"] }]',
      '2: upstreams[0].endpoints: expected `resolver: static` beside endpoints, got `consul`',
    ],
    [
      'an endpoint twice',
      'upstreams: [{ service: b, resolver: static, endpoints: ["h:1", { address: h, port: 1 }] }]',
      '2: upstreams[0].endpoints[1]: expected each endpoint once, got it twice',
    ],
    [
      'a port that cannot be',
      'upstreams: [{ service: b, resolver: static, endpoints: ["h:70000"] }]',
      '2: upstreams[0].endpoints[0]: expected a port 1–65535, got 70000',
    ],
    [
      'dns without a name',
      'upstreams: [{ service: b, resolver: dns }]',
      '2: upstreams[0].dns: expected a name to resolve for `resolver: dns`, got nothing',
    ],
    [
      'addresses from DNS without a port',
      'upstreams: [{ service: b, resolver: dns, dns: { name: b.example } }]',
      '2: upstreams[0].dns.port: expected a port for `type: A`, got nothing',
    ],
    [
      'SRV records with a port',
      'upstreams: [{ service: b, resolver: dns, dns: { name: b.example, type: SRV, port: 1 } }]',
      '2: upstreams[0].dns.port: expected no port for `type: SRV`, which brings its own',
    ],
    [
      'Consul upstreams without Consul',
      'consul: { enabled: false }\nupstreams: [{ service: b }]',
      '3: upstreams[0].resolver: expected `static` or `dns` while `consul.enabled` is false, got `consul`',
    ],
    [
      'a certificate without its key',
      'consul: { tls: { certFile: /c.pem } }',
      '2: consul.tls.keyFile: expected a file beside `certFile`, got nothing',
    ],
    [
      'a route to nobody',
      'forwardProxy: { allowUndeclared: false }\nupstreams: [{ service: stock }]\nroutes: [{ service: stcok }]',
      '4: routes[0].service: expected the name of an upstream, got "stcok" (did you mean `stock`?)',
    ],
    [
      'a collector by host and port without gRPC',
      'trace: { otlp: { endpoint: "collector:4318" } }',
      '2: trace.otlp.endpoint: expected an `http://` or `https://` address for `http/protobuf`, got "collector:4318"',
    ],
    [
      'a route that an earlier one hides',
      'routes:\n  - { path: /pay, service: b }\n  - { path: /pay/now, service: c }',
      '4: routes[1]: expected a rule that can match, got one that is hidden by routes[0] (3)',
    ],
    [
      'a condition of two kinds',
      'routes: [{ service: b, headers: [{ name: x, exact: a, prefix: b }] }]',
      '2: routes[0].headers[0]: expected exactly one of `exact`, `prefix` and `present`',
    ],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const found = await mistakes(text);

      expect(found).to.deep.equal([expected]);
    });
  }

  it('refuses meta that the sidecar sets itself', async () => {
    const result = await loadText(folder, 'service: { name: a, meta: { zone: x } }');

    expect(lines(result, folder)).to.deep.equal([
      'outrigger.yaml:1: service.meta.zone: expected no entry that the sidecar sets itself',
    ]);
  });

  it('takes the same port on different loopback addresses, and no inbound port without application', async () => {
    expect(
      await mistakes(
        'inbound: { port: 9101 }\nupstreams: [{ service: b, port: 9101 }, { service: c, port: 9101, host: 127.0.0.2 }]',
      ),
    ).to.deep.equal([]);
  });

  it('takes a collector by host and port with gRPC', async () => {
    expect(
      await mistakes('trace: { otlp: { protocol: grpc, endpoint: "collector:4317" } }'),
    ).to.deep.equal([]);
  });

  it('takes routes to services that are followed on first use', async () => {
    expect(await mistakes('routes: [{ host: b.example, service: b }]')).to.deep.equal([]);
  });

  it('warns of a route to a service whose name is nearly that of an upstream', async () => {
    const text =
      'service: { name: a }\nupstreams: [{ service: pay }]\nroutes:\n  - { path: /p, service: payy }\n  - { path: /q, service: pay }\n  - { service: orders }\n';

    const { warnings } = loadedOf(await loadText(folder, text));

    expect(warnings.map((line) => line.replaceAll(`${folder.path}/`, ''))).to.deep.equal([
      'outrigger.yaml:4: routes[0].service: "payy" is none of the upstreams (did you mean `pay`?)',
    ]);
  });
});
