import { runUp, upDefaults } from '../up/up.ts';
import type { Console } from './console.ts';
import { exitCodes } from './exit-codes.ts';

export interface UpCommandOptions {
  readonly once?: boolean;
  readonly registry?: string;
  readonly fault?: readonly string[];
  readonly rate?: string;
  readonly seconds?: string;
  readonly json?: boolean;
  readonly color?: boolean;
}

const registries = ['auto', 'consul', 'embedded'] as const;

/** Runs the local mesh. */
export function up(options: UpCommandOptions, console: Console): Promise<number> {
  const registry = registries.find((name) => name === (options.registry ?? 'auto'));
  const rate = wholeNumber(options.rate, upDefaults.ratePerSecond, 10_000);
  const seconds = wholeNumber(options.seconds, upDefaults.durationMs / 1000, 3600);
  if (registry === undefined || rate === null || seconds === null) {
    console.err('expected --registry auto, consul or embedded; --rate 1–10000; --seconds 1–3600');
    return Promise.resolve(exitCodes.mistake);
  }
  return runUp({
    once: options.once === true,
    json: options.json === true,
    registry,
    faults: options.fault ?? [],
    ratePerSecond: rate,
    durationMs: seconds * 1000,
    color: options.color !== false,
  });
}

function wholeNumber(text: string | undefined, fallback: number, most: number): number | null {
  if (text === undefined) return fallback;
  const value = /^[1-9][0-9]{0,5}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= most ? value : null;
}
