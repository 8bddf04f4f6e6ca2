import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { ensurePeers } from '../test/tools/peers.mjs';
import type { Row } from './row.ts';
import { suites } from './suites/suites.ts';

const usage = `usage: npm run bench -- [${[...suites.keys()].join('|')} …] [--json FILE] [--seconds N] [--rounds N]

Without a name all suites run. --seconds is the length of one run (default 3), --rounds how often each is repeated
(default 3); medians are shown. --json writes them as an array.`;

const print = (line: string): void => console.log(line);

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
  const rows: Row[] = [];
  for (const suite of options.chosen) {
    rows.push(...(await suite({ seconds: options.seconds, rounds: options.rounds, print })));
  }
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`);
  return 0;
}

function parse() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'string' },
        seconds: { type: 'string', default: '3' },
        rounds: { type: 'string', default: '3' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    const names = positionals.length === 0 ? [...suites.keys()] : positionals;
    const chosen = names.map((name) => suites.get(name)).filter((suite) => suite !== undefined);
    const seconds = Number(values.seconds);
    const rounds = Number(values.rounds);
    const sound = [seconds, rounds].every((value) => Number.isInteger(value) && value >= 1);
    if (values.help === true || chosen.length < names.length || !sound) return null;
    return { chosen, seconds, rounds, json: values.json ?? null };
  } catch {
    return null;
  }
}
