import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the agent is and who we are to it; what is left out comes from Consul's own environment variables. */
export interface ConsulAccessOptions {
  /** `host:port`, `http://…`, `https://…` or `unix:///path`; default `CONSUL_HTTP_ADDR`, else 127.0.0.1:8500. */
  readonly address?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly datacenter?: string;
  readonly namespace?: string;
  readonly partition?: string;
}

export interface ConsulTls {
  /** Trusted authorities in PEM; undefined means the ones Node ships. */
  readonly ca: readonly string[] | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly serverName: string | undefined;
  readonly verify: boolean;
}

export interface ConsulAccess {
  readonly address:
    | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
    | { readonly kind: 'unix'; readonly path: string };
  /** Null for plain HTTP. */
  readonly tls: ConsulTls | null;
  readonly token: TokenSource;
  readonly datacenter: string | null;
  readonly namespace: string | null;
  readonly partition: string | null;
}

export type AccessOutcome =
  | { readonly ok: true; readonly access: ConsulAccess }
  /** `problem` names the setting, what was expected and what came. */
  | { readonly ok: false; readonly problem: string };

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads how to reach Consul: options first, then the `CONSUL_*` variables its own tools honour.
 * Certificates are read here, once; a file that cannot be read is a problem, not a surprise later.
 */
export async function readAccess(
  options: ConsulAccessOptions,
  environment: Environment,
): Promise<AccessOutcome> {
  const set = (name: string): string | undefined => environment[name] || undefined;
  const text = options.address ?? set('CONSUL_HTTP_ADDR') ?? '127.0.0.1:8500';
  const target = readAddress(text, isTrue(set('CONSUL_HTTP_SSL')));
  if (target === null) {
    return {
      ok: false,
      problem: `consul address: expected host:port, http(s)://host:port or unix:///path, got ${JSON.stringify(text)}`,
    };
  }
  const token = options.token ?? set('CONSUL_HTTP_TOKEN') ?? null;
  if (token !== null && !isToken(token)) {
    return { ok: false, problem: 'consul token: expected printable characters without spaces' };
  }
  try {
    return {
      ok: true,
      access: {
        address: target.address,
        tls: target.secure ? await readTls(set) : null,
        token: new TokenSource({
          token,
          file: options.tokenFile ?? set('CONSUL_HTTP_TOKEN_FILE') ?? null,
        }),
        datacenter: options.datacenter ?? null,
        namespace: options.namespace ?? set('CONSUL_NAMESPACE') ?? null,
        partition: options.partition ?? set('CONSUL_PARTITION') ?? null,
      },
    };
  } catch (error) {
    return { ok: false, problem: `consul tls: ${(error as Error).message}` };
  }
}

/**
 * The token of the next request. A token file is read again whenever it changed, so that a rotated
 * token is used without a restart; while the file cannot be read the last token stays in use.
 */
export class TokenSource {
  readonly #file: string | null;
  #token: string | null;
  #stamp = '';

  constructor(options: { readonly token: string | null; readonly file: string | null }) {
    this.#token = options.token;
    // An explicit token wins over a file, as in Consul's own client.
    this.#file = options.token === null ? options.file : null;
  }

  async current(): Promise<string | null> {
    if (this.#file === null) return this.#token;
    try {
      const found = await stat(this.#file);
      const stamp = `${found.ino}:${found.size}:${found.mtimeMs}`;
      if (stamp !== this.#stamp) {
        const text = (await readFile(this.#file, 'utf8')).trim();
        // A half-written file must not take away a token that works.
        if (isToken(text)) this.#token = text;
        this.#stamp = stamp;
      }
    } catch {
      // Rotation may replace the file in two steps; a token that no longer works shows as 403.
    }
    return this.#token;
  }

  /** After a 403 with the token `used`: reads the file even if it looks unchanged. True when there is another one now. */
  async renewed(used: string | null): Promise<boolean> {
    this.#stamp = '';
    return (await this.current()) !== used;
  }
}

function isToken(text: string): boolean {
  return /^[\x21-\x7e]{1,4096}$/.test(text);
}

function readAddress(
  text: string,
  secureByDefault: boolean,
): { address: ConsulAccess['address']; secure: boolean } | null {
  if (text.startsWith('unix://')) {
    const path = text.slice('unix://'.length);
    return path === '' ? null : { address: { kind: 'unix', path }, secure: false };
  }
  const parts =
    /^(?:(https?):\/\/)?(?:\[([0-9a-f:.]+)\]|([^\s:/?#@[\]]+))(?::(\d{1,5}))?\/?$/i.exec(text);
  const host = parts?.[2] ?? parts?.[3];
  if (host === undefined) return null;
  const secure = parts?.[1]?.toLowerCase() === 'https' || secureByDefault;
  const port = Number(parts?.[4] ?? (secure ? 8501 : 8500));
  if (port < 1 || port > 65535) return null;
  return { address: { kind: 'tcp', host, port }, secure };
}

async function readTls(set: (name: string) => string | undefined): Promise<ConsulTls> {
  const authorities: string[] = [];
  const file = set('CONSUL_CACERT');
  const directory = set('CONSUL_CAPATH');
  if (file !== undefined) authorities.push(await readFile(file, 'utf8'));
  if (directory !== undefined) {
    for (const name of (await readdir(directory)).sort()) {
      const pem = await readFile(join(directory, name), 'utf8');
      if (pem.includes('-----BEGIN CERTIFICATE-----')) authorities.push(pem);
    }
  }
  const cert = set('CONSUL_CLIENT_CERT');
  const key = set('CONSUL_CLIENT_KEY');
  return {
    ca: authorities.length > 0 ? authorities : undefined,
    cert: cert === undefined ? undefined : await readFile(cert, 'utf8'),
    key: key === undefined ? undefined : await readFile(key, 'utf8'),
    serverName: set('CONSUL_TLS_SERVER_NAME'),
    verify: !isFalse(set('CONSUL_HTTP_SSL_VERIFY')),
  };
}

function isTrue(text: string | undefined): boolean {
  return text !== undefined && /^(1|t|true)$/i.test(text);
}

function isFalse(text: string | undefined): boolean {
  return text !== undefined && /^(0|f|false)$/i.test(text);
}
