import { existsSync } from 'node:fs';

/** The file that is taken when none is named. */
const USUAL_NAME = 'outrigger.yaml';

/**
 * The configuration file of a command: the one named, else `OUTRIGGER_CONFIG`, else `outrigger.yaml` in
 * the current folder when there is one; null means that the environment says everything.
 */
export function configFile(
  named: string | undefined,
  environment: NodeJS.ProcessEnv,
): string | null {
  if (named !== undefined) return named;
  const variable = environment['OUTRIGGER_CONFIG'] ?? '';
  if (variable !== '') return variable;
  return existsSync(USUAL_NAME) ? USUAL_NAME : null;
}
