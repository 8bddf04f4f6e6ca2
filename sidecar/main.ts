#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { processConsole } from './cli/console.ts';
import { EXIT_CODES_HELP, exitCodes } from './cli/exit-codes.ts';
import { version } from './cli/version.ts';
import { FAULT_FORMS } from './up/faults.ts';

// The command line. Each command's code is loaded when it is called, so that `--help` is instant and
// `run` loads nothing that a sidecar does not need.

interface Common {
  readonly json?: boolean;
  readonly color?: boolean;
}

interface AdminOptions extends Common {
  readonly admin: string;
}

const CONFIG_HELP = 'configuration file (environment: OUTRIGGER_CONFIG; else outrigger.yaml here)';

const program = new Command('outrigger')
  .description('Service-mesh sidecar for Consul: balances, retries and traces every call.')
  .version(version())
  .addHelpText('after', EXIT_CODES_HELP)
  .exitOverride()
  .showSuggestionAfterError();

command('run', 'start the sidecar, alone or around a command: run -c outrigger.yaml -- node app.js')
  .argument('[command...]', 'command to run inside the sidecar, after --')
  .option('-c, --config <file>', CONFIG_HELP)
  .option(
    '--wait-ready',
    'start the command only when the sidecar is ready, not as soon as it listens',
  )
  .option('--http-proxy-env', 'give the command HTTP_PROXY with the address of the forward proxy')
  .action(
    async (
      words: string[],
      options: Common & { config?: string; waitReady?: boolean; httpProxyEnv?: boolean },
    ) => {
      const { run } = await import('./cli/run.ts');
      await end(run(words, options, process.env, processConsole(options)), true);
    },
  );

command('up', 'run a local mesh: services, sidecars and a registry on this machine')
  .option('--once', 'run for a while without a terminal, judge, and end with 0 or 1')
  .option('--registry <which>', 'auto, consul or embedded', 'auto')
  .option('--fault <spec>', `${FAULT_FORMS}; repeatable`, collect, [])
  .option('--rate <n>', 'calls per second that enter the mesh')
  .option('--seconds <n>', 'with --once: how long traffic is sent')
  .action(
    async (
      options: Common & {
        once?: boolean;
        registry?: string;
        fault?: string[];
        rate?: string;
        seconds?: string;
      },
    ) => {
      const { up } = await import('./cli/up.ts');
      await end(up(options, processConsole(options)), true);
    },
  );

// What `up` starts besides sidecars; not for people.
program.command('up-task', { hidden: true }).action(async () => {
  const { performTask } = await import('./up/child.ts');
  await performTask(process.env);
});

command('check', 'tell every mistake of a configuration file, and start nothing')
  .argument('[file]', 'configuration file')
  .option('-c, --config <file>', CONFIG_HELP)
  .action(async (file: string | undefined, options: Common & { config?: string }) => {
    const { check } = await import('./cli/check.ts');
    await end(check(file, options, process.env, processConsole(options)));
  });

adminCommand('endpoints', 'show the endpoints of a running sidecar with their state')
  .argument('[service]', 'only those of this service')
  .action(async (service: string | undefined, options: AdminOptions) => {
    const { endpoints } = await import('./cli/endpoints.ts');
    await end(endpoints(service, options.admin, processConsole(options)));
  });

adminCommand('config', 'show the configuration in force and where each value came from')
  .option('--all', 'defaults too')
  .action(async (options: AdminOptions & { all?: boolean }) => {
    const { config } = await import('./cli/config.ts');
    await end(config(options.all === true, options.admin, processConsole(options)));
  });

adminCommand('traces', 'show the traces a running sidecar kept, as trees')
  .option('--trace <id>', 'only this one')
  .option('--limit <n>', 'how many', '10')
  .action(async (options: AdminOptions & { trace?: string; limit?: string }) => {
    const { traces } = await import('./cli/traces.ts');
    await end(traces(options, options.admin, processConsole(options)));
  });

adminCommand(
  'drain',
  'make a running sidecar leave the registry and take no new work after its delay',
).action(async (options: AdminOptions) => {
  const { drain } = await import('./cli/drain.ts');
  await end(drain(options.admin, processConsole(options)));
});

command('schema', 'print the JSON Schema of the configuration file')
  .option('--markdown', 'the reference page instead')
  .action(async (options: Common & { markdown?: boolean }) => {
    const { schema } = await import('./cli/schema.ts');
    await end(schema(options.markdown === true, processConsole(options)));
  });

command('explain', 'explain an error code')
  .command('error')
  .description('explain a code of the error catalogue; without one list all')
  .argument('[code]', 'code or short flag, such as no_healthy_upstream or UH')
  .option('--json', 'JSON lines, also on a terminal')
  .option('--no-color', 'no colours')
  .action(async (code: string | undefined, options: Common) => {
    const { explainError } = await import('./cli/explain.ts');
    await end(explainError(code, processConsole(options)));
  });

// A reader that went away (`| head`) is no failure of ours.
process.stdout.on('error', () => undefined);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? exitCodes.fine : exitCodes.mistake;
}

function command(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--json', 'JSON lines, also on a terminal')
    .option('--no-color', 'no colours')
    .addHelpText('after', EXIT_CODES_HELP);
}

function adminCommand(name: string, description: string): Command {
  const address = process.env['OUTRIGGER_ADMIN'] ?? '';
  return command(name, description).option(
    '--admin <address>',
    'admin API of the sidecar (environment: OUTRIGGER_ADMIN)',
    address === '' ? 'http://127.0.0.1:15000' : address,
  );
}

function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value];
}

/** Takes over an exit code. A process that has served ends at once: no forgotten handle may hold it. */
async function end(code: number | Promise<number>, now = false): Promise<void> {
  process.exitCode = await code;
  if (now) process.exit();
}
