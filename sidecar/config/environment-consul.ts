import type { ConfigError, Path } from './config-error.ts';
import { booleanOrText, type EnvironmentValue } from './environment.ts';
import { description } from './expectation.ts';

/** Consul's own variables and the keys they stand for. */
const variables: readonly (readonly [name: string, path: Path])[] = [
  ['CONSUL_HTTP_ADDR', ['consul', 'address']],
  ['CONSUL_HTTP_TOKEN', ['consul', 'token']],
  ['CONSUL_HTTP_TOKEN_FILE', ['consul', 'tokenFile']],
  ['CONSUL_HTTP_SSL_VERIFY', ['consul', 'tls', 'verify']],
  ['CONSUL_CACERT', ['consul', 'tls', 'caFile']],
  ['CONSUL_CAPATH', ['consul', 'tls', 'caPath']],
  ['CONSUL_CLIENT_CERT', ['consul', 'tls', 'certFile']],
  ['CONSUL_CLIENT_KEY', ['consul', 'tls', 'keyFile']],
  ['CONSUL_TLS_SERVER_NAME', ['consul', 'tls', 'serverName']],
  ['CONSUL_NAMESPACE', ['consul', 'namespace']],
  ['CONSUL_PARTITION', ['consul', 'partition']],
];

/**
 * The values of `CONSUL_*`, as Consul's own command line reads them: an address without a scheme is
 * `https` when `CONSUL_HTTP_SSL` is true. That variable stands for no key; what is wrong with it comes
 * back as a mistake, never as false: the token would travel in the clear.
 */
export function readConsulEnvironment(environment: NodeJS.ProcessEnv): {
  values: EnvironmentValue[];
  mistakes: ConfigError[];
} {
  const values: EnvironmentValue[] = [];
  const mistakes: ConfigError[] = [];
  for (const [name, path] of variables) {
    const text = environment[name];
    if (text === undefined || text === '') continue;
    values.push({ name, path, value: name === 'CONSUL_HTTP_SSL_VERIFY' ? truth(text) : text });
  }
  const ssl = truth(environment['CONSUL_HTTP_SSL'] ?? '');
  if (ssl === true) {
    const address = environment['CONSUL_HTTP_ADDR'] ?? '';
    const bare = address === '' ? '127.0.0.1:8500' : address.replace(/^http:\/\//, '');
    if (!bare.includes('://')) {
      values.push({
        name: 'CONSUL_HTTP_SSL',
        path: ['consul', 'address'],
        value: `https://${bare}`,
      });
    }
  } else if (ssl !== false && ssl !== '') {
    const message = `expected \`true\` or \`false\`, got ${description(ssl, false)}`;
    mistakes.push({ source: 'env CONSUL_HTTP_SSL', path: '', message });
  }
  return { values, mistakes };
}

/** Go's `strconv.ParseBool`, which is what Consul uses. */
function truth(text: string): boolean | string {
  if (text === '1' || text === 't' || text === 'T') return true;
  if (text === '0' || text === 'f' || text === 'F') return false;
  return booleanOrText(text);
}
