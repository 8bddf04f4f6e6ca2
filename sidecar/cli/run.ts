import { formatConfigError } from '../config/config-error.ts';
import { withoutOverruled } from '../config/environment-otel.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { configFile } from './config-file.ts';
import type { Console } from './console.ts';
import { exitCodes } from './exit-codes.ts';
import type { RunOptions } from './run-options.ts';
import { WrappedCommand } from './wrapped-command.ts';

export interface RunCommandOptions {
  readonly config?: string;
  readonly waitReady?: boolean;
  readonly httpProxyEnv?: boolean;
}

/** Starts the sidecar, alone or around a command; resolves to the exit code when it has ended. */
export async function run(
  command: readonly string[],
  options: RunCommandOptions,
  environment: NodeJS.ProcessEnv,
  console: Console,
): Promise<number> {
  const result = await loadConfig(configFile(options.config, environment), environment);
  if (!result.ok) {
    for (const error of result.errors) console.err(formatConfigError(error));
    return exitCodes.mistake;
  }
  const { loaded } = result;
  const [file, ...args] = command;
  const wrapped =
    file === undefined
      ? null
      : new WrappedCommand(
          [file, ...args],
          commandVariables(loaded.config, options.httpProxyEnv === true),
        );
  const { runSidecar } = await import('../app.ts');
  const runOptions: RunOptions = {
    environment: withoutOverruled(environment),
    wrapped,
    waitReady: options.waitReady === true,
  };
  return runSidecar(loaded, runOptions);
}

/**
 * What a wrapped command finds in its environment: `OUTRIGGER_UPSTREAM_ORDERS=127.0.0.1:9101` for each
 * upstream with a port and, when asked for, the forward proxy as its HTTP proxy.
 */
export function commandVariables(config: Config, httpProxy: boolean): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const { name, host, port } of config.upstreams) {
    if (port === null) continue;
    const key = name.replace(/[^A-Za-z0-9]/g, '_').toUpperCase();
    variables[`OUTRIGGER_UPSTREAM_${key}`] = authority(host, port);
  }
  const { forwardProxy } = config;
  if (httpProxy && forwardProxy.enabled) {
    const address = `http://${authority(forwardProxy.host, forwardProxy.port)}`;
    // Programs look for either spelling; some for the lower one only.
    variables['HTTP_PROXY'] = variables['http_proxy'] = address;
    variables['NO_PROXY'] = variables['no_proxy'] = 'localhost,127.0.0.1,::1';
  }
  return variables;
}

/** Where a listener on `host` is reached from this machine. */
function authority(host: string, port: number): string {
  if (host === '0.0.0.0') return `127.0.0.1:${port}`;
  if (host === '::') return `[::1]:${port}`;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
