import { readEnvironment } from '../../telemetry/environment.ts';
import { formatConfigError } from '../config/config-error.ts';
import { withoutOverruled } from '../config/environment-otel.ts';
import { type Loaded, loadConfig } from '../config/load.ts';
import { telemetryOptions } from '../telemetry-options.ts';
import { configFile } from './config-file.ts';
import type { Console } from './console.ts';
import { exitCodes } from './exit-codes.ts';

export interface CheckOptions {
  readonly config?: string;
}

/** Reads a configuration as `run` would and tells every mistake and every warning; starts nothing. */
export async function check(
  named: string | undefined,
  options: CheckOptions,
  environment: NodeJS.ProcessEnv,
  console: Console,
): Promise<number> {
  const file = configFile(named ?? options.config, environment);
  const result = await loadConfig(file, environment);
  if (!console.table) {
    const errors = result.ok ? [] : result.errors;
    const warnings = result.ok ? warningsOf(result.loaded, environment) : [];
    console.out(JSON.stringify({ file, ok: result.ok, errors, warnings }));
    // A pipe gets JSON; the person behind it still sees what is wrong.
    for (const error of errors) console.err(formatConfigError(error));
    return result.ok ? exitCodes.fine : exitCodes.mistake;
  }
  if (!result.ok) {
    for (const error of result.errors) console.err(formatConfigError(error));
    console.err(result.errors.length === 1 ? '1 mistake' : `${result.errors.length} mistakes`);
    return exitCodes.mistake;
  }
  const { config } = result.loaded;
  for (const warning of warningsOf(result.loaded, environment)) console.err(`warning: ${warning}`);
  const counts = `${config.upstreams.length} upstreams, ${config.routes.length} routes`;
  console.out(`${file ?? 'environment'}: fine (service ${config.service.name}, ${counts})`);
  return exitCodes.fine;
}

/** Those of the configuration, and those that telemetry has about its variables when it starts. */
function warningsOf(loaded: Loaded, environment: NodeJS.ProcessEnv): string[] {
  const options = telemetryOptions(loaded.config);
  const telemetry = readEnvironment(withoutOverruled(environment), options);
  return [...loaded.warnings, ...telemetry.warnings];
}
