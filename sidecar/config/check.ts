import { formatPath, type Path, printable } from './config-error.ts';
import type { Mistake } from './explain-issues.ts';
import { hostsOverlap, listenAddresses } from './listen-addresses.ts';
import { nearest, suggestion } from './nearest.ts';
import { LOCAL_APPLICATION } from './reserved.ts';
import { shadowedRoutes } from './route-shadow.ts';
import type { Config, Upstream } from './schema.ts';

/** Where a key stands, for messages that point at a second place: `line 4`, `env NAME`. */
export type Locate = (path: Path) => string;

/** What no single key can tell: keys that contradict each other, rules that can never apply. */
export function checkConfig(config: Config, locate: Locate): Mistake[] {
  const mistakes: Mistake[] = [];
  checkPorts(config, locate, mistakes);
  checkUpstreams(config, locate, mistakes);
  checkRoutes(config, locate, mistakes);
  checkConsul(config, mistakes);
  checkTrace(config, mistakes);
  return mistakes;
}

/** What is allowed and yet looks like a slip, one sentence each. */
export function doubts(config: Config, locate: Locate): string[] {
  const upstreams = config.upstreams.map((upstream) => upstream.name);
  return config.routes.flatMap(({ service }, index) => {
    if (upstreams.includes(service) || nearest(service, upstreams) === null) return [];
    const path: Path = ['routes', index, 'service'];
    return `${locate(path)}: ${formatPath(path)}: "${service}" is none of the upstreams${suggestion(service, upstreams)}`;
  });
}

function checkPorts(config: Config, locate: Locate, mistakes: Mistake[]): void {
  const addresses = listenAddresses(config);
  addresses.forEach((address, index) => {
    const taken = addresses
      .slice(0, index)
      .find((other) => other.port === address.port && hostsOverlap(other.host, address.host));
    if (taken !== undefined) {
      mistakes.push({
        path: address.path,
        message: `expected a port of its own, got ${address.port}, which belongs to ${taken.name} (${locate(taken.path)})`,
      });
    }
  });
  const { inbound } = config;
  if (inbound.appPort === null) return;
  const self = addresses.find(
    (address) => address.port === inbound.appPort && hostsOverlap(address.host, inbound.appHost),
  );
  if (self !== undefined) {
    mistakes.push({
      path: ['inbound', 'appPort'],
      message: `expected the port of the application, got ${self.port}, which belongs to ${self.name} (${locate(self.path)})`,
    });
  }
}

function checkUpstreams(config: Config, locate: Locate, mistakes: Mistake[]): void {
  const names = new Map<string, number>();
  config.upstreams.forEach((upstream, index) => {
    const path: Path = ['upstreams', index];
    const first = names.get(upstream.name.toLowerCase());
    if (first === undefined) names.set(upstream.name.toLowerCase(), index);
    else {
      mistakes.push({
        path: [...path, 'name'],
        message: `expected a name of its own, got "${upstream.name}", which is taken (${locate(['upstreams', first])})`,
      });
    }
    if (upstream.name === LOCAL_APPLICATION) {
      mistakes.push({
        path: [...path, 'name'],
        message: `expected another name than "${LOCAL_APPLICATION}", which is the local application`,
      });
    }
    checkSource(upstream, path, config, mistakes);
  });
}

function checkSource(upstream: Upstream, path: Path, config: Config, mistakes: Mistake[]): void {
  const { resolver, endpoints, dns } = upstream;
  const say = (key: Path, message: string) => mistakes.push({ path: [...path, ...key], message });
  if (resolver === 'static' && endpoints.length === 0) {
    say(['endpoints'], 'expected at least one endpoint for `resolver: static`, got none');
  }
  if (resolver !== 'static' && endpoints.length > 0) {
    say(['endpoints'], `expected \`resolver: static\` beside endpoints, got \`${resolver}\``);
  }
  if (resolver === 'dns' && dns === null) {
    say(['dns'], 'expected a name to resolve for `resolver: dns`, got nothing');
  }
  if (resolver !== 'dns' && dns !== null) {
    say(['dns'], `expected \`resolver: dns\` beside it, got \`${resolver}\``);
  }
  if (dns !== null && dns.type !== 'SRV' && dns.port === null) {
    say(['dns', 'port'], `expected a port for \`type: ${dns.type}\`, got nothing`);
  }
  if (dns !== null && dns.type === 'SRV' && dns.port !== null) {
    say(['dns', 'port'], 'expected no port for `type: SRV`, which brings its own');
  }
  if (resolver === 'consul' && !config.consul.enabled) {
    say(['resolver'], 'expected `static` or `dns` while `consul.enabled` is false, got `consul`');
  }
  const seen = new Set<string>();
  endpoints.forEach((endpoint, index) => {
    if (endpoint.port < 1 || endpoint.port > 65_535) {
      say(['endpoints', index], `expected a port 1–65535, got ${endpoint.port}`);
    }
    const key = `${endpoint.address} ${endpoint.port}`;
    if (seen.has(key)) say(['endpoints', index], 'expected each endpoint once, got it twice');
    seen.add(key);
  });
}

function checkRoutes(config: Config, locate: Locate, mistakes: Mistake[]): void {
  const names = new Map<string, number>();
  const upstreams = config.upstreams.map((upstream) => upstream.name);
  const open = config.forwardProxy.allowUndeclared && config.consul.enabled;
  config.routes.forEach((route, index) => {
    const path: Path = ['routes', index];
    const first = names.get(route.name);
    if (first === undefined) names.set(route.name, index);
    else {
      mistakes.push({
        path: [...path, 'name'],
        message: `expected a name of its own, got "${route.name}", which is taken (${locate(['routes', first])})`,
      });
    }
    const local = route.service === LOCAL_APPLICATION;
    if (local || (!open && !upstreams.includes(route.service))) {
      mistakes.push({
        path: [...path, 'service'],
        message: `expected the name of an upstream, got "${route.service}"${suggestion(route.service, upstreams)}`,
      });
    }
    route.headers.forEach((condition, at) => {
      const kinds = [condition.exact, condition.prefix, condition.present];
      if (kinds.filter((kind) => kind !== undefined).length !== 1) {
        mistakes.push({
          path: [...path, 'headers', at],
          message: 'expected exactly one of `exact`, `prefix` and `present`',
        });
      }
    });
  });
  for (const [index, winner] of shadowedRoutes(config.routes)) {
    mistakes.push({
      path: ['routes', index],
      message: `expected a rule that can match, got one that is hidden by routes[${winner}] (${locate(['routes', winner])})`,
    });
  }
}

function checkTrace(config: Config, mistakes: Mistake[]): void {
  const { endpoint, protocol } = config.trace.otlp;
  if (protocol === 'grpc' || endpoint === '' || endpoint.includes('://')) return;
  mistakes.push({
    path: ['trace', 'otlp', 'endpoint'],
    message: `expected an \`http://\` or \`https://\` address for \`${protocol}\`, got "${printable(endpoint)}"`,
  });
}

function checkConsul(config: Config, mistakes: Mistake[]): void {
  const { consul, service } = config;
  for (const [one, other] of [
    ['certFile', 'keyFile'],
    ['keyFile', 'certFile'],
  ] as const) {
    if (consul.tls[one] !== '' && consul.tls[other] === '') {
      mistakes.push({
        path: ['consul', 'tls', other],
        message: `expected a file beside \`${one}\`, got nothing`,
      });
    }
  }
  for (const key of ['zone', 'outrigger', consul.zoneKey]) {
    if (Object.hasOwn(service.meta, key)) {
      mistakes.push({
        path: ['service', 'meta', key],
        message: 'expected no entry that the sidecar sets itself',
      });
      break;
    }
  }
  if (Object.keys(service.meta).length > 60) {
    mistakes.push({ path: ['service', 'meta'], message: 'expected at most 60 entries' });
  }
}
