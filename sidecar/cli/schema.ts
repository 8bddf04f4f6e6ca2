import { configJsonSchema } from '../config/json-schema.ts';
import { configReference } from '../config/reference.ts';
import type { Console } from './console.ts';
import { exitCodes } from './exit-codes.ts';

/** Prints the JSON Schema of the configuration file, or its reference in Markdown. */
export function schema(markdown: boolean, console: Console): number {
  console.out(markdown ? configReference().trimEnd() : JSON.stringify(configJsonSchema(), null, 2));
  return exitCodes.fine;
}
