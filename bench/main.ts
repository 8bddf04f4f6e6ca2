import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { ensurePeers } from '../test/tools/peers.mjs';
import { arrange, layouts } from './layout.ts';
import { leaveNothingBehind } from './leave-nothing.ts';
import type { Row } from './row.ts';
import { suites } from './suites/suites.ts';

const usage = `usage: npm run bench -- [${[...suites.keys()].join('|')} …] [--json FILE] [--seconds N] [--rounds N]
                            [--layout ${layouts.join('|')}] [--case TEXT]

Without a name all suites run. --seconds is the length of one run (default 3), --rounds how often each is repeated
(default 3); medians are shown. --json writes them as an array. --layout says which CPUs the subject gets (default own-core).
--case leaves only the cases whose name holds the text.`;

const print = (line: string): void => console.log(line);

leaveNothingBehind();
process.exitCode = await main();

async function main(): Promise<number> {
  const options = parse();
  if (options === null) {
    print(usage);
    return 2;
  }
  await ensurePeers();
  print(
    `Node.js ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}`,
  );
  print(
    `load average before the start: ${loadavg()
      .map((load) => load.toFixed(2))
      .join(' ')}`,
  );
  print(`layout: ${arrange(options.layout)}`);
  const rows: Row[] = [];
  const invalid: string[] = [];
  for (const suite of options.chosen) {
    const result = await suite({ ...options, print });
    rows.push(...result.rows);
    invalid.push(...result.invalid);
  }
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`);
  for (const sentence of invalid) print(`not valid: ${sentence}`);
  return invalid.length === 0 ? 0 : 1;
}

function parse() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'string' },
        seconds: { type: 'string', default: '3' },
        rounds: { type: 'string', default: '3' },
        layout: { type: 'string', default: 'own-core' },
        case: { type: 'string', default: '' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    const names = positionals.length === 0 ? [...suites.keys()] : positionals;
    const chosen = names.map((name) => suites.get(name)).filter((suite) => suite !== undefined);
    const seconds = Number(values.seconds);
    const rounds = Number(values.rounds);
    const layout = layouts.find((known) => known === values.layout);
    const sound = [seconds, rounds].every((value) => Number.isInteger(value) && value >= 1);
    if (values.help === true || chosen.length < names.length || !sound) return null;
    if (layout === undefined) return null;
    return { chosen, seconds, rounds, layout, only: values.case, json: values.json ?? null };
  } catch {
    return null;
  }
}
